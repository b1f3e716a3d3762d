package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.loragraph.Embedder;
import io.github.loragraph.Example;
import io.github.loragraph.MinedNegatives;
import io.github.loragraph.MiningConfig;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph mine-negatives}. */
@Command(
    name = "mine-negatives",
    header = "Finds hard negatives to train embeddings with.",
    description = {
      "",
      "For each pair of anchor and positive the model looks for texts near to the anchor that are"
          + " none of its positives, among all positives of the data and the documents of --corpus."
          + " The positives of the anchor, the anchor itself and what scores refuse are left out;"
          + " what is left is ranked by cosine, and --range-min and --range-max count its ranks.",
      "",
      "The names are those of mine_hard_negatives of sentence-transformers, where range_max counts"
          + " what scores refuse, too.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph mine-negatives all-minilm-l6-v2 --data pairs.tsv -o triplets.tsv",
      "  lora-graph mine-negatives run --data pairs.tsv --corpus corpus.tsv --relative-margin 0.05"
          + " -o triplets.jsonl"
    },
    mixinStandardHelpOptions = true)
final class MineNegativesCommand implements Callable<Integer> {
  /** The rows that are written, by the names of sentence-transformers. */
  enum Format {
    /** A row for each negative. */
    TRIPLET,
    /** A row for each pair with all of its negatives. */
    N_TUPLE,
    /** A row for each positive and each negative, with the label 1 or 0. */
    LABELED_PAIR;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  static final class FormatConverter extends NameConverter<Format> {
    FormatConverter() {
      super(Format.values());
    }
  }

  static final class SamplingConverter extends NameConverter<MiningConfig.Sampling> {
    SamplingConverter() {
      super(MiningConfig.Sampling.values());
    }
  }

  @Mixin private ModelArgument model;
  @Mixin private EmbeddingOptions embedding;
  @Mixin private DocumentModelOption documentModel;
  @Mixin private GroupColumnOptions columns;
  @Mixin private EmbeddingLength length;
  @Mixin private OutputNameOption outputName;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private DataFiles dataFiles;
  @Mixin private ResultOutput output;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description =
          "Pairs of anchor and positive: .tsv, .csv or .jsonl, also packed (.gz, .zst). Several: the"
              + " option again, or a pattern; '-' is standard input, by --data-format.")
  private List<String> data;

  @Option(
      names = "--corpus",
      paramLabel = "FILE",
      description = "Further texts to search: id, title and text, as BEIR and MS MARCO have them.")
  private @Nullable Path corpus;

  @Option(
      names = "--num-negatives",
      paramLabel = "N",
      defaultValue = "3",
      description = "Negatives for each pair (default: ${DEFAULT-VALUE}).")
  private int numNegatives;

  @Option(
      names = "--range-min",
      paramLabel = "RANK",
      defaultValue = "0",
      description =
          "Pass over so many of the nearest candidates, which may be positives that nobody has"
              + " named (default: ${DEFAULT-VALUE}).")
  private int rangeMin;

  @Option(
      names = "--range-max",
      paramLabel = "RANK",
      description =
          "Look no further down than to this rank (default: as far as is needed; where negatives"
              + " are drawn, ten times as far).")
  private @Nullable Integer rangeMax;

  @Option(
      names = "--max-score",
      paramLabel = "COSINE",
      description = "Take no candidate with a higher score.")
  private @Nullable Double maxScore;

  @Option(
      names = "--min-score",
      paramLabel = "COSINE",
      description = "Take no candidate with a lower score.")
  private @Nullable Double minScore;

  @Option(
      names = "--absolute-margin",
      paramLabel = "M",
      description = "Take what is by M or more farther than the anchor's farthest positive.")
  private @Nullable Double absoluteMargin;

  @Option(
      names = "--relative-margin",
      paramLabel = "SHARE",
      description = "The same as a share of the positive's score: 0.05 takes 95%% of it or less.")
  private @Nullable Double relativeMargin;

  @Option(
      names = "--sampling-strategy",
      paramLabel = "STRATEGY",
      defaultValue = "top",
      converter = SamplingConverter.class,
      completionCandidates = SamplingConverter.class,
      description = "Which candidates are taken: ${COMPLETION-CANDIDATES} (default: top).")
  private MiningConfig.Sampling sampling;

  @Option(
      names = "--output-format",
      paramLabel = "FORMAT",
      defaultValue = "triplet",
      converter = FormatConverter.class,
      completionCandidates = FormatConverter.class,
      description =
          "${COMPLETION-CANDIDATES}: a row for each negative, a row with all of them (pairs with"
              + " fewer are left out), or pairs with the label 1 or 0 (default: triplet).")
  private Format format;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Decides what is drawn (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The file to write: .tsv, .csv or .jsonl.")
  private Path target;

  @Option(names = "--force", description = "Replace a file that exists.")
  private boolean force;

  @Override
  public Integer call() {
    DataFileWriter.checkTarget(target);
    AtomicFile.checkTarget(target, force);
    MiningConfig mining = mining();
    try (Embedder embedder =
        outputName
            .choose(model.open(output))
            .embedder(length.inference(device, threads, documentModel.of(embedding.asked())))) {
      MinedNegatives mined =
          embedder.mineNegatives(
              columns.of(dataFiles.of(data)), mining, new TextsProgress(output, "searched"));
      long[] rows = new long[2];
      AtomicFile.write(
          target,
          force,
          out -> {
            try (DataFileWriter writer = new DataFileWriter(target, out)) {
              for (Example example : mined.examples()) {
                write(example, writer);
              }
              rows[0] = writer.rows();
              rows[1] = writer.flattened();
            }
            if (rows[0] == 0) {
              throw new LoraGraphException(
                  "no negatives were found among %,d texts: search more with --corpus, or refuse fewer by their scores"
                      .formatted(mined.searched()));
            }
          });
      if (rows[1] > 0) {
        output.log(
            "tabs and line ends became spaces in %,d of %,d rows: .csv and .jsonl keep them",
            rows[1], rows[0]);
      }
      print(mined, rows[0]);
    }
    return 0;
  }

  private MiningConfig mining() {
    MiningConfig.Builder builder =
        MiningConfig.builder()
            .numNegatives(numNegatives)
            .rangeMin(rangeMin)
            .sampling(sampling)
            .seed(seed);
    if (rangeMax != null) {
      builder.rangeMax(rangeMax);
    }
    if (maxScore != null) {
      builder.maxScore(maxScore);
    }
    if (minScore != null) {
      builder.minScore(minScore);
    }
    if (absoluteMargin != null) {
      builder.absoluteMargin(absoluteMargin);
    }
    if (relativeMargin != null) {
      builder.relativeMargin(relativeMargin);
    }
    if (corpus != null) {
      builder.corpus(corpus);
    }
    return builder.build();
  }

  private void write(Example example, DataFileWriter writer) throws IOException {
    String anchor = example.text().orElseThrow();
    String positive = example.textPair().orElseThrow();
    List<String> negatives = example.negatives();
    switch (format) {
      case TRIPLET -> {
        for (String negative : negatives) {
          writer.write(row("anchor", anchor, "positive", positive, "negative", negative));
        }
      }
      case N_TUPLE -> {
        if (negatives.size() == numNegatives) {
          Map<String, JsonNode> row = row("anchor", anchor, "positive", positive);
          for (int i = 0; i < numNegatives; i++) {
            row.put("negative_" + (i + 1), TextNode.valueOf(negatives.get(i)));
          }
          writer.write(row);
        }
      }
      case LABELED_PAIR -> {
        if (!negatives.isEmpty()) {
          writer.write(labelled(anchor, positive, 1));
        }
        for (String negative : negatives) {
          writer.write(labelled(anchor, negative, 0));
        }
      }
    }
  }

  private static Map<String, JsonNode> labelled(String anchor, String passage, int label) {
    Map<String, JsonNode> row = row("anchor", anchor, "passage", passage);
    row.put("label", IntNode.valueOf(label));
    return row;
  }

  private static Map<String, JsonNode> row(String... namesAndTexts) {
    Map<String, JsonNode> row = new LinkedHashMap<>();
    for (int i = 0; i < namesAndTexts.length; i += 2) {
      row.put(namesAndTexts[i], TextNode.valueOf(namesAndTexts[i + 1]));
    }
    return row;
  }

  private void print(MinedNegatives mined, long rows) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("rows", rows);
    result.put("pairs", mined.examples().size());
    result.put("searched", mined.searched());
    result.put("negatives", mined.negatives());
    result.put("incomplete", mined.incomplete());
    result.put("refused", mined.refused());
    result.put("positiveScore", finite(mined.positiveScore()));
    result.put("negativeScore", finite(mined.negativeScore()));
    output.print(
        result,
        out -> {
          out.printf(
              Locale.ROOT,
              "%,d negatives for %,d pairs among %,d texts: mean cosine of positives %.4f, of"
                  + " negatives %.4f%n",
              mined.negatives(),
              mined.examples().size(),
              mined.searched(),
              mined.positiveScore(),
              mined.negativeScore());
          if (mined.incomplete() > 0) {
            out.printf(
                "%,d pairs have fewer than %d (%,d candidates were refused by their scores)%n",
                mined.incomplete(), numNegatives, mined.refused());
          }
          out.printf("%,d rows written: %s%n", rows, target);
        });
  }

  private static @Nullable Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
