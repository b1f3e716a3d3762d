package example;

import io.github.loragraph.BundledModel;
import io.github.loragraph.Dataset;
import io.github.loragraph.Evaluation;
import io.github.loragraph.Example;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.TrainingArguments;
import io.github.loragraph.TrainingListener;
import io.github.loragraph.TrainingResult;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Adapts a sentence encoder to the mail of a support desk, out of what a program has in memory. */
public final class SupportDesk {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private static final List<String> DELIVERY =
      List.of(
          "Where is my parcel?",
          "The courier left the box at the wrong house.",
          "My order should have been here on Monday.",
          "Can you deliver to a parcel shop instead?",
          "Tracking has not moved for a week.",
          "The driver never rang, and now it is back at the depot.",
          "How long does shipping to Norway take?",
          "Half of the order has not arrived yet.");

  private static final List<String> INVOICE =
      List.of(
          "I was charged twice for the same thing.",
          "Please send the bill to our accounts department.",
          "Why is there tax on this invoice?",
          "The amount on my card statement is too high.",
          "The refund has not reached my bank.",
          "May I pay by instalments?",
          "The voucher was not taken off the price.",
          "Our VAT number is missing on the receipt.");

  private static final List<String> FAULT =
      List.of(
          "The kettle does not switch on any more.",
          "It makes a grinding noise and then stops.",
          "The screen stays black after the update.",
          "Water drips out below the machine.",
          "The battery is empty after an hour.",
          "It shows error 12 and beeps.",
          "The lid broke on the first day.",
          "The remote control is not found.");

  private SupportDesk() {}

  /**
   * Trains, and writes the model.
   *
   * @param args the folder to write; {@code support-desk} by default
   */
  public static void main(String[] args) {
    Path folder = Path.of(args.length > 0 ? args[0] : "support-desk");
    Model encoder = Model.bundled(BundledModel.ALL_MINILM_L6_V2);
    Model adapted =
        encoder
            .addHead(HeadConfig.classification("delivery", "invoice", "fault"))
            .inject(LoraConfig.builder().targetModules("query|value").rank(8).build());
    System.out.println(adapted.parameterCount());

    TrainingResult result =
        adapted.train(
            Dataset.of(examples(0, 6)),
            Dataset.of(examples(6, 8)),
            TrainingArguments.builder()
                .numTrainEpochs(10)
                .trainBatchSize(6)
                .learningRate(2e-3)
                .loggingSteps(10)
                .build(),
            new Progress());
    Evaluation heldOut = result.evaluation().orElseThrow();
    System.out.printf(
        Locale.ROOT,
        "%d steps, held-out accuracy %.4f of %d examples%n",
        result.steps(),
        heldOut.score(),
        heldOut.examples());

    System.out.println("written: " + result.model().merge().save(folder, true));
  }

  /** Some of the messages of each kind, as a stream out of a database would bring them. */
  private static Stream<Example> examples(int from, int to) {
    return Stream.of(
            labelled(DELIVERY, "delivery"), labelled(INVOICE, "invoice"), labelled(FAULT, "fault"))
        .flatMap(kind -> kind.subList(from, to).stream());
  }

  private static List<Example> labelled(List<String> texts, String label) {
    return texts.stream().map(text -> Example.of(text, label)).toList();
  }

  /** Prints the loss now and then, and gives up a training that takes too long. */
  private static final class Progress implements TrainingListener {
    private final Instant end = Instant.now().plus(PATIENCE);

    @Override
    public void onLog(StepMetrics figures) {
      System.out.printf(
          Locale.ROOT,
          "step %d of %d, loss %.4f%n",
          figures.step(),
          figures.totalSteps(),
          figures.loss());
    }

    @Override
    public boolean shouldTrainingStop() {
      return Instant.now().isAfter(end);
    }
  }
}
