package io.github.loragraph.task;

import io.github.loragraph.data.EpochView;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Masking;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a model is to answer. A task is one class with all that is known of it: which output of a
 * model it is read from, how labels become targets, the loss, what is measured, and what an answer
 * and a mistake are. {@link Tasks#ALL} lists them; who works with one asks it, and not which one it
 * is. Immutable.
 *
 * <p>Long because everything of a task is asked of this one class.
 */
public abstract class Task {
  /**
   * What stands for a {@code problem_type} where {@code config.json} says by other entries that the
   * model is a cross-encoder.
   */
  public static final String CROSS_ENCODER = "cross-encoder";

  private final String name;
  private final String lossName;
  private final Logits.Form form;
  private final @Nullable String problemType;

  /**
   * @param name by which it is chosen
   * @param lossName of its loss, as PyTorch users know it; several tasks may have one
   * @param form of the logits that its loss takes
   * @param problemType what transformers call it in {@code config.json}; null where they have no
   *     word
   */
  protected Task(String name, String lossName, Logits.Form form, @Nullable String problemType) {
    this.name = name;
    this.lossName = lossName;
    this.form = form;
    this.problemType = problemType;
  }

  /** The name by which it is chosen: {@code token-classification}. */
  public final String name() {
    return name;
  }

  /** The name of its loss, as PyTorch users know it: {@code token-cross-entropy}. */
  public final String lossName() {
    return lossName;
  }

  /** The names of all its losses, that which is usual first. */
  public List<String> lossNames() {
    return List.of(lossName);
  }

  /**
   * The name of the loss that is asked for, or of the usual one.
   *
   * @throws LoraGraphException if the task has none of that name
   */
  protected final String nameOf(LossOptions options) {
    if (options.name() == null) {
      return lossName;
    }
    if (!lossNames().contains(options.name())) {
      throw new LoraGraphException(
          "%s has no loss '%s': it has %s"
              .formatted(name, options.name(), String.join(", ", lossNames())));
    }
    return options.name();
  }

  /** What the task's loss takes. */
  public final Logits.Form form() {
    return form;
  }

  /**
   * What {@code config.json} calls it under {@code problem_type}, or {@link #CROSS_ENCODER}; empty
   * where it has no word.
   */
  public final Optional<String> problemType() {
    return Optional.ofNullable(problemType);
  }

  /**
   * The loss that training lessens.
   *
   * @param examples what will be trained on
   * @throws LoraGraphException if the options do not fit the task
   */
  public abstract Loss loss(LossOptions options, List<Example> examples);

  /** For a loss that has none of the options. */
  protected final void refuseOptions(LossOptions options) {
    nameOf(options);
    if (!options.isPlain()) {
      throw new LoraGraphException(
          "label smoothing and class weights belong to a cross-entropy over classes, not to "
              + name);
    }
  }

  /**
   * Encodes rows with their labels.
   *
   * @throws LoraGraphException if a row has no label, one that the task cannot use, or does not fit
   *     the model; it names the line
   */
  public List<Example> encode(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    return encoder.withTargets(rows, row -> targetOf(row, labels));
  }

  /** Whether each row becomes one example, whatever the others are. */
  public final boolean isRowByRow() {
    return isLabelled() && !isMasked() && !ranks() && !answersTokens();
  }

  /**
   * What the loss is told of a row.
   *
   * @throws LoraGraphException if it has no label, or one that the task cannot use; it names the
   *     line
   */
  public final Values targetOf(Row row, LabelSet labels) {
    row.requireLabel();
    return target(row, labels);
  }

  /**
   * Encodes rows without looking at labels.
   *
   * @param labels of the head
   * @throws LoraGraphException if a row does not fit the model; it names the line
   */
  public List<Example> encodeUnlabelled(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    return encoder.withoutLabels(rows);
  }

  /**
   * What the loss is told of a row.
   *
   * @param row with a label that is not empty
   * @throws LoraGraphException if the label cannot be used; it names the line
   */
  protected abstract Values target(Row row, LabelSet labels);

  /**
   * The labels that a row's label is made of, one of each: what a count of labels counts.
   *
   * @param row with a label
   */
  public List<String> labelsIn(Row row) {
    return List.of(row.requireLabel());
  }

  /** Whether rows have labels, which the model is to answer; else it learns from texts alone. */
  public boolean isLabelled() {
    return true;
  }

  /** Whether tokens are masked, which the model is to find. */
  public boolean isMasked() {
    return false;
  }

  /**
   * What encoded examples are in each epoch of a training.
   *
   * @param masking how tokens are masked, where they are
   * @param tokenizer that of the model
   * @param outputs the size of the logits' last axis
   * @param seed decides what is drawn
   * @throws LoraGraphException if the tokenizer has not what the task needs, or masking is asked of
   *     a task that has none
   */
  public EpochView view(Masking masking, Supplier<Tokenizer> tokenizer, int outputs, long seed) {
    if (!masking.equals(Masking.USUAL)) {
      throw new LoraGraphException(
          "a probability of masking and whole words belong to the masking of tokens, not to "
              + name);
    }
    return EpochView.SAME;
  }

  /**
   * What encoded examples are when a model is measured with them: each time the same.
   *
   * @param tokenizer that of the model
   * @param outputs the size of the logits' last axis
   * @throws LoraGraphException if the tokenizer has not what the task needs
   */
  public List<Example> measured(List<Example> encoded, Supplier<Tokenizer> tokenizer, int outputs) {
    return encoded;
  }

  /** What is worth saying of how a model is measured; empty where it goes without saying. */
  public Optional<String> howMeasured() {
    return Optional.empty();
  }

  /** Measures answers as they come, in any order; each of the examples once. */
  public interface Measure {
    /**
     * Takes one answer.
     *
     * @param number of its example, from 0
     * @param logits of the example, of all its tokens where they are answered
     */
    void add(int number, float[] logits);

    /** The figures, when all answers were taken. */
    Report report();
  }

  /**
   * Measures answers; unless a task can do with less, all are held until the end.
   *
   * @param examples with targets
   * @param outputs the size of the logits' last axis
   */
  public Measure measure(List<Example> examples, int outputs) {
    float[][] all = new float[examples.size()][];
    return new Measure() {
      @Override
      public void add(int number, float[] logits) {
        all[number] = logits;
      }

      @Override
      public Report report() {
        return Task.this.report(all, examples, outputs);
      }
    };
  }

  /**
   * The same where the names of the logits are known, by which tags of words are told.
   *
   * @param names of the logits; none where nobody knows them
   */
  public Measure measure(List<Example> examples, int outputs, List<String> names) {
    return measure(examples, outputs);
  }

  /**
   * Measures answers.
   *
   * @param logits for each example one row, of all its tokens where they are answered
   * @param examples as many, with targets
   * @param outputs the size of the logits' last axis
   */
  public abstract Report report(float[][] logits, List<Example> examples, int outputs);

  /**
   * The same where the names of the logits are known, by which tags of words are told.
   *
   * @param names of the logits
   */
  public Report report(float[][] logits, List<Example> examples, List<String> names) {
    return report(logits, examples, names.size());
  }

  /**
   * The answer to a row, of which a long one became several examples.
   *
   * @param logits of the examples
   * @param examples of the row, one after the other
   * @param names of the logits
   * @param place the row's, for a message
   * @throws LoraGraphException if a logit is no finite number
   */
  public Prediction prediction(
      List<float[]> logits, List<Example> examples, List<String> names, String place) {
    return prediction(logits.get(0), names, examples.get(0).length(), place);
  }

  /**
   * The answer that logits are.
   *
   * @param all logits of the example; of all its tokens one after the other where each is answered
   * @param names of the logits
   * @param length the example's number of tokens, which what pads a batch comes after; without
   *     meaning where tokens are not answered
   * @param place the example's, for a message
   * @throws LoraGraphException if a logit is no finite number
   */
  public final Prediction prediction(float[] all, List<String> names, int length, String place) {
    float[] logits = unpadded(all, names.size(), length);
    Prediction.requireNumbers(logits, place);
    return prediction(logits, names);
  }

  /**
   * The answer that the logits of an example are, which may be in words of the model's vocabulary.
   *
   * @param all as {@link #prediction(float[], List, int, String)} takes them
   * @param tokenizer asked for only where the answer needs it
   * @throws LoraGraphException if a logit is no finite number, or the example is none for the task
   */
  public Prediction prediction(
      float[] all,
      Example example,
      List<String> names,
      Supplier<Tokenizer> tokenizer,
      String place) {
    return prediction(all, names, example.length(), place);
  }

  /** The logits without those of tokens that only pad a batch. */
  protected float[] unpadded(float[] logits, int outputs, int length) {
    return logits;
  }

  /** The answer that finite logits are. */
  protected abstract Prediction prediction(float[] logits, List<String> names);

  /**
   * All mistakes, the largest loss first.
   *
   * @param logits for each example one row, of all its tokens where they are answered
   * @param examples as many, with targets
   * @param names of the logits
   */
  public final List<Mistake> mistakes(
      float[][] logits, List<Example> examples, List<String> names) {
    List<Mistake> mistakes = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      mistakes.addAll(mistakes(i, logits[i], examples.get(i), names));
    }
    mistakes.sort(Comparator.comparingDouble(Mistake::loss).reversed());
    return mistakes;
  }

  /**
   * What of one example a model answers otherwise than its target says.
   *
   * @param number of the example, from 0
   */
  protected abstract List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names);

  /** Whether it ranks the candidates of queries: its data may have several texts for a query. */
  public boolean ranks() {
    return false;
  }

  /**
   * The names of what is measured, as reports may have them: by which the best of several
   * evaluations may be told.
   */
  public abstract List<String> figureNames();

  /** Whether it answers any number of classes, each from a threshold of its probability on. */
  public boolean hasThresholds() {
    return false;
  }

  /**
   * The same task that decides by thresholds; it judges answers, and stands in no list of tasks.
   *
   * @throws IllegalStateException if the task {@linkplain #hasThresholds has none}
   */
  public Task with(Thresholds thresholds) {
    throw new IllegalStateException(name + " has no thresholds");
  }

  /**
   * The thresholds that divide answers best.
   *
   * @param logits for each example one row
   * @param examples as many, with targets
   * @throws IllegalStateException if the task {@linkplain #hasThresholds has none}
   */
  public Thresholds fitThresholds(float[][] logits, List<Example> examples) {
    throw new IllegalStateException(name + " has no thresholds");
  }

  /** Whether each token is answered, so that a head is put on each. */
  public boolean answersTokens() {
    return false;
  }

  /** Why no head for the task can be put on an encoder; empty where one can. */
  public Optional<String> refusalOfHead() {
    return Optional.empty();
  }

  /** Whether {@link #mistakes(float[][], List, List)} lists anything. */
  public boolean listsMistakes() {
    return true;
  }

  /** Whether the classes have names, which a configuration may give. */
  public boolean namesClasses() {
    return true;
  }

  /** The names of the logits where no data and no user can choose them; else empty. */
  public Optional<LabelSet> fixedLabels() {
    return Optional.empty();
  }

  /** Why a head for the task cannot have logits of such names; empty where it can. */
  public Optional<String> refusalOf(List<String> names) {
    return Optional.empty();
  }

  /**
   * The names of the logits that a head for the data needs.
   *
   * @param rows with labels
   * @throws LoraGraphException if a label is none for this task; it names the line
   */
  public abstract LabelSet labelsOf(List<Row> rows);

  /**
   * The same, with lines on what was guessed.
   *
   * @throws LoraGraphException as {@link #labelsOf(List)} does
   */
  public LabelSet labelsOf(List<Row> rows, Consumer<String> notices) {
    return labelsOf(rows);
  }

  /** What a head with such logits answers, in a few words: {@code 2 classes: no, yes}. */
  public abstract String describe(LabelSet labels);

  /** The names of classes that no example has, so that they are not learned. */
  public List<String> absent(List<Example> examples, List<String> names) {
    return List.of();
  }

  /** The name by which it is chosen. */
  @Override
  public final String toString() {
    return name;
  }
}
