package io.github.loragraph.task;

import io.github.loragraph.data.EpochView;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.MaskVocabulary;
import io.github.loragraph.data.Masking;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.TokenMasking;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.function.Supplier;

/**
 * The tokens of a text that are hidden from the model: continued pretraining of BERT, RoBERTa and
 * their kin (arXiv 2004.10964). Cross-entropy over the masked tokens alone. Rows have no labels:
 * tokens are masked anew in each epoch of a training ({@link TokenMasking}), and those of held-out
 * texts always in the same way, whatever the training masks, so that figures compare.
 */
final class MaskedLanguageModelTask extends Task {
  /** Answers to each mask. */
  private static final int FOUND = 5;

  private static final long HELD_OUT_SEED = 0;

  /** No training has this epoch. */
  private static final long HELD_OUT_EPOCH = -1;

  private static final String IDS = "input_ids";

  /** (batch, sequence, vocabulary), which only the one who asks for it can tell from classes. */
  private static final Logits.Form VOCABULARY =
      new Logits.Form(
          "masked-lm",
          "(batch, sequence, vocabulary)",
          false,
          logits -> logits.rank() == 3 && logits.width() > 1);

  MaskedLanguageModelTask() {
    super("masked-lm", "token-cross-entropy", VOCABULARY, null);
  }

  @Override
  public List<String> figureNames() {
    return List.of("loss", "perplexity", "accuracy");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    refuseOptions(options);
    return new CrossEntropyLoss(0, List.of(), CrossEntropyLoss.IGNORE_INDEX);
  }

  @Override
  public boolean isLabelled() {
    return false;
  }

  @Override
  public boolean isMasked() {
    return true;
  }

  @Override
  public List<Example> encode(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    return encoder.parts(rows);
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    throw new IllegalStateException("targets are drawn, not read");
  }

  @Override
  public EpochView view(Masking masking, Supplier<Tokenizer> tokenizer, int outputs, long seed) {
    return new TokenMasking(masking, known(tokenizer.get(), outputs), seed);
  }

  @Override
  public List<Example> measured(List<Example> encoded, Supplier<Tokenizer> tokenizer, int outputs) {
    EpochView view = view(Masking.USUAL, tokenizer, outputs, HELD_OUT_SEED);
    List<Example> masked = new ArrayList<>(encoded.size());
    for (Example example : encoded) {
      masked.add(view.at(HELD_OUT_EPOCH, masked.size(), example));
    }
    return masked;
  }

  @Override
  public Optional<String> howMeasured() {
    return Optional.of(
        "of held-out texts 15 % of the tokens are masked, by the same seed each time");
  }

  /** The vocabulary as far as the model has logits for it: some are padded, or were cut. */
  private static MaskVocabulary known(Tokenizer tokenizer, int outputs) {
    MaskVocabulary all = tokenizer.maskVocabulary();
    if (all.mask() >= outputs) {
      throw new LoraGraphException(
          "the mask token %s is number %d, and the model answers with %d: its output is no vocabulary, or tokenizer.json is another model's"
              .formatted(all.name(), all.mask(), outputs));
    }
    return new MaskVocabulary(all.mask(), all.name(), Math.min(all.size(), outputs), all.special());
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    Measure measure = measure(examples, outputs);
    for (int i = 0; i < logits.length; i++) {
      measure.add(i, logits[i]);
    }
    return measure.report();
  }

  @Override
  public Measure measure(List<Example> examples, int outputs) {
    return new MaskedLanguageModelReport.Counting(examples, outputs);
  }

  @Override
  protected float[] unpadded(float[] logits, int outputs, int length) {
    boolean padded = logits.length > (long) length * outputs;
    return padded ? Arrays.copyOf(logits, length * outputs) : logits;
  }

  @Override
  public Prediction prediction(
      float[] all,
      Example example,
      List<String> names,
      Supplier<Tokenizer> tokenizer,
      String place) {
    int outputs = names.size();
    MaskVocabulary vocabulary = known(tokenizer.get(), outputs);
    Values ids = Objects.requireNonNull(example.inputs().get(IDS));
    List<Prediction.Mask> masks = new ArrayList<>();
    for (int i = 0; i < ids.count(); i++) {
      if (ids.get(i) == vocabulary.mask()) {
        float[] logits = Arrays.copyOfRange(all, i * outputs, (i + 1) * outputs);
        Prediction.requireNumbers(logits, place);
        masks.add(new Prediction.Mask(i, vocabulary.name(), found(logits, tokenizer.get())));
      }
    }
    if (masks.isEmpty()) {
      throw new LoraGraphException(
          "%s has no %s among the tokens that the model takes: put it where a token is to be found"
              .formatted(place, vocabulary.name()));
    }
    return new MaskPrediction(masks);
  }

  /** The likeliest tokens; of equal ones the first. */
  private static List<Prediction.Mask.Found> found(float[] logits, Tokenizer tokenizer) {
    Comparator<Integer> worstFirst =
        Comparator.<Integer>comparingDouble(id -> logits[id]).thenComparing(id -> -id);
    PriorityQueue<Integer> best = new PriorityQueue<>(worstFirst);
    for (int id = 0; id < logits.length; id++) {
      best.add(id);
      if (best.size() > FOUND) {
        best.remove();
      }
    }
    double all = Probabilities.logSumExp(logits);
    return best.stream()
        .sorted(worstFirst.reversed())
        .map(id -> new Prediction.Mask.Found(tokenizer.text(id), id, Math.exp(logits[id] - all)))
        .toList();
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    throw new IllegalStateException("which tokens are masks, the logits do not say");
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    return List.of();
  }

  @Override
  public boolean listsMistakes() {
    return false;
  }

  @Override
  public boolean answersTokens() {
    return true;
  }

  @Override
  public boolean namesClasses() {
    return false;
  }

  @Override
  public Optional<String> refusalOfHead() {
    return Optional.of(
        "masked-lm needs the language-model head that a model was pretrained with, and a new one"
            + " has learned nothing: export the model with it");
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    throw new IllegalStateException("no data names the tokens of a vocabulary");
  }

  @Override
  public String describe(LabelSet labels) {
    return "a vocabulary of %,d tokens".formatted(labels.size());
  }
}
