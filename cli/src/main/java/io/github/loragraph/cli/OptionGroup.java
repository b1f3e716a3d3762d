package io.github.loragraph.cli;

import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The headings that options stand under in help, and their order there. An option that nobody has
 * put anywhere stands at the end of the first.
 */
enum OptionGroup {
  MAIN(
      "Options",
      "--match",
      "--target-modules",
      "--exclude",
      "--layers",
      "--layers-pattern",
      "--rank",
      "--alpha",
      "--rank-pattern",
      "--alpha-pattern",
      "--rslora",
      "--dora",
      "--init",
      "--bias",
      "--head",
      "--data",
      "--eval",
      "--eval-split",
      "--eval-split-seed",
      "--corpus",
      "--queries",
      "--qrels",
      "--eval-corpus",
      "--eval-queries",
      "--eval-qrels",
      "--labels",
      "--labels-from",
      "-o",
      "--standalone",
      "--write-model",
      "--adapter",
      "--method",
      "--epochs",
      "--steps",
      "--batch-size",
      "--sequence",
      "--lr",
      "--resume",
      "--continue-from",
      "--stop-after",
      "--estimate",
      "--config",
      "--errors",
      "--verbose",
      "--loss",
      "--optimizer",
      "--install",
      "--cuda"),
  DATA(
      "Data",
      "--task",
      "--max-length",
      "--stride",
      "--text-column",
      "--text-pair-column",
      "--label-column",
      "--data-format",
      "--streaming",
      "--no-streaming",
      "--max-train-examples",
      "--examples-per-class"),
  TRAINED("What is trained", "--trainable", "--train-bias", "--untie", "--lora-dropout"),
  COURSE(
      "The course of the training",
      "--accumulate",
      "--micro-batch",
      "--schedule",
      "--warmup-steps",
      "--warmup-ratio",
      "--weight-decay",
      "--weight-decay-on",
      "--beta1",
      "--beta2",
      "--epsilon",
      "--max-grad-norm",
      "--label-smoothing",
      "--class-weights",
      "--mlm-probability",
      "--whole-word-masking",
      "--label-all-subwords",
      "--shuffle"),
  EMBEDDING(
      "Embeddings",
      "--pooling",
      "--normalize",
      "--query-prefix",
      "--document-prefix",
      "--scale",
      "--symmetric",
      "--margin",
      "--distance",
      "--temperature",
      "--matryoshka",
      "--mini-batch-size",
      "--query-side"),
  FEW_SHOT("Few examples", "--few-shot", "--few-shot-iterations"),
  LOG(
      "Log and checkpoints",
      "--log-every",
      "--eval-every",
      "--save-best",
      "--no-save-best",
      "--patience",
      "--checkpoint-every",
      "--tensorboard",
      "--no-report-texts",
      "--keep-if-better"),
  MACHINE(
      "The machine",
      "--device",
      "--threads",
      "--engine",
      "--precision",
      "--tf32",
      "--deterministic",
      "--steps-per-call",
      "--base",
      "--recompute",
      "--memory",
      "--optim",
      "--cache-prefix",
      "--cache-precision"),
  MODEL("Which model and which output", "--file", "--output-name", "--output"),
  GENERAL("General", "--seed", "--force", "--json", "--stacktrace", "--help", "--version");

  private final String heading;
  private final List<String> names;

  OptionGroup(String heading, String... names) {
    this.heading = heading;
    this.names = List.of(names);
  }

  String heading() {
    return heading;
  }

  static OptionGroup of(OptionSpec option) {
    return Arrays.stream(values())
        .filter(group -> group.indexOf(option) >= 0)
        .findFirst()
        .orElse(MAIN);
  }

  /** The place of an option among the others of this group. */
  int placeOf(OptionSpec option) {
    int index = indexOf(option);
    return index < 0 ? names.size() : index;
  }

  private int indexOf(OptionSpec option) {
    return Arrays.stream(option.names())
        .mapToInt(names::indexOf)
        .filter(index -> index >= 0)
        .min()
        .orElse(-1);
  }
}
