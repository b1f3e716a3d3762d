package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How well a language model finds masked tokens.
 *
 * @param examples the number of masked tokens
 * @param loss the mean cross-entropy over them
 * @param accuracy the share of them that get the largest logit
 */
record MaskedLanguageModelReport(int examples, double loss, double accuracy) implements Report {
  /** exp(loss): among how many tokens, all equally likely, the model would be as unsure. */
  double perplexity() {
    return Math.exp(loss);
  }

  @Override
  public String scoreName() {
    return "accuracy";
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("loss", loss);
    figures.put("perplexity", perplexity());
    figures.put("accuracy", accuracy);
    return figures;
  }

  /** Holds sums alone: the logits of a language model are too many. */
  static final class Counting implements Task.Measure {
    private final List<Example> examples;
    private final int outputs;
    private final double[] losses;
    private long right;
    private int counted;

    Counting(List<Example> examples, int outputs) {
      this.examples = examples;
      this.outputs = outputs;
      this.losses = new double[examples.size()];
    }

    @Override
    public void add(int number, float[] logits) {
      Values target = examples.get(number).requireTarget();
      for (int token = 0; token < target.count(); token++) {
        if (target.get(token) >= 0) {
          int begin = token * outputs;
          int label = begin + (int) target.get(token);
          int largest = begin;
          for (int i = begin; i < begin + outputs; i++) {
            largest = logits[i] > logits[largest] ? i : largest;
          }
          double sum = 0;
          for (int i = begin; i < begin + outputs; i++) {
            sum += Math.exp(logits[i] - logits[largest]);
          }
          losses[number] += logits[largest] + Math.log(sum) - logits[label];
          right += largest == label ? 1 : 0;
          counted++;
        }
      }
    }

    @Override
    public Report report() {
      if (counted == 0) {
        throw new LoraGraphException(
            "no token of the held-out texts was masked: there is nothing to measure, give more"
                + " text");
      }
      // By the order of the examples, whichever order they came in.
      double loss = 0;
      for (double one : losses) {
        loss += one;
      }
      return new MaskedLanguageModelReport(
          counted, loss / counted, ClassFigures.ratio(right, counted));
    }
  }
}
