package io.github.loragraph;

import io.github.loragraph.retrieval.NegativeMiner;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Pairs with the hard negatives that were found for them. Immutable.
 *
 * @param examples the pairs, each once, with their negatives, the nearest first unless they were
 *     drawn; some may have fewer than were asked for, or none
 * @param searched how many different texts were searched
 * @param refused candidates that were left out by their scores
 * @param negatives how many were found
 * @param incomplete pairs with fewer than were asked for
 * @param positiveScore the mean cosine of the pairs; NaN where there are none
 * @param negativeScore the mean cosine of anchors and negatives; NaN where there are none
 */
public record MinedNegatives(
    List<Example> examples,
    long searched,
    long refused,
    long negatives,
    long incomplete,
    double positiveScore,
    double negativeScore) {
  public MinedNegatives {
    examples = List.copyOf(examples);
  }

  static MinedNegatives of(NegativeMiner.Result result, int asked) {
    List<NegativeMiner.Mined> pairs = result.pairs();
    DoubleStream scores =
        pairs.stream().flatMap(pair -> pair.negatives().stream()).mapToDouble(n -> n.score());
    return new MinedNegatives(
        pairs.stream()
            .map(
                pair ->
                    Example.pair(pair.anchor(), pair.positive())
                        .withNegatives(pair.negatives().stream().map(n -> n.text()).toList()))
            .toList(),
        result.searched(),
        result.refused(),
        pairs.stream().mapToLong(pair -> pair.negatives().size()).sum(),
        pairs.stream().filter(pair -> pair.negatives().size() < asked).count(),
        pairs.stream().mapToDouble(NegativeMiner.Mined::score).average().orElse(Double.NaN),
        scores.average().orElse(Double.NaN));
  }
}
