package io.github.loragraph.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.EntitySpan;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Sentence;
import io.github.loragraph.data.SpanLabels;
import io.github.loragraph.data.TagScheme;
import io.github.loragraph.data.Values;
import io.github.loragraph.data.WordWindow;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * One class for each token: cross-entropy over the tokens. The label of a pre-tokenized row is a
 * JSON array of names or numbers of classes, {@value CrossEntropyLoss#IGNORE_INDEX} for tokens that
 * count nothing; the target is as long as the row's {@code input_ids}. That of a text has tags for
 * its words, or spans of its characters; then the first token of a word answers for it, and long
 * texts are read in windows. Where the classes are tags of a scheme, what is answered and measured
 * are entities.
 */
final class TokenClassificationTask extends Task {
  TokenClassificationTask() {
    super("token-classification", "token-cross-entropy", Logits.Form.TOKEN_CLASSES, null);
  }

  @Override
  public List<String> figureNames() {
    return List.of(
        "loss", "precision", "recall", "f1", "accuracy", "macroF1", "weightedF1", "matthews");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    nameOf(options);
    return new CrossEntropyLoss(
        options.labelSmoothing(), options.classWeights(), CrossEntropyLoss.IGNORE_INDEX);
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    if (row.isText()) {
      throw new LoraGraphException(
          row.place() + " is text, and labels of tokens go with tokens", Remedy.GIVE_TOKENS);
    }
    List<JsonNode> entries = LabelList.required(row, "names or numbers");
    int[] target = new int[entries.size()];
    for (int i = 0; i < target.length; i++) {
      target[i] = Classes.indexOrIgnored(row, entries.get(i).asText(), labels);
    }
    Values ids = row.values().get("input_ids");
    if (ids != null && ids.count() != target.length) {
      throw new LoraGraphException(
          "%s has %d labels for %d tokens: give one each"
              .formatted(row.place(), target.length, ids.count()));
    }
    return Values.of(target);
  }

  @Override
  public List<Example> encode(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    if (rows.isEmpty() || !rows.get(0).isText()) {
      return super.encode(encoder, rows, labels);
    }
    WordLabels.requireWords(rows);
    rows.forEach(Row::requireLabel);
    WordLabels words = WordLabels.of(rows, labels, encoder.notices());
    List<Example> examples = encoder.byWords(rows, labels.names(), words::of);
    words.notes(rows).forEach(encoder.notices());
    return examples;
  }

  @Override
  public List<Example> encodeUnlabelled(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    boolean single = rows.stream().allMatch(row -> row.isText() && row.textPair() == null);
    boolean words = rows.stream().anyMatch(row -> row.words() != null);
    return single && (words || TagScheme.of(labels.names()).isPresent())
        ? encoder.byWords(rows, labels.names(), null)
        : super.encodeUnlabelled(encoder, rows, labels);
  }

  @Override
  public Measure measure(List<Example> examples, int outputs, List<String> names) {
    if (names.isEmpty()) {
      return measure(examples, outputs);
    }
    float[][] all = new float[examples.size()][];
    return new Measure() {
      @Override
      public void add(int number, float[] logits) {
        all[number] = logits;
      }

      @Override
      public Report report() {
        return TokenClassificationTask.this.report(all, examples, names);
      }
    };
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, List<String> names) {
    ClassificationReport tokens = report(logits, examples, names.size());
    return TagScheme.of(names).isEmpty() ? tokens : entities(tokens, logits, examples, names);
  }

  private static Report entities(
      ClassificationReport tokens, float[][] logits, List<Example> examples, List<String> names) {
    EntityReport.Count count = new EntityReport.Count();
    for (int i = 0; i < logits.length; ) {
      int first = i;
      WordWindow window = examples.get(i).words();
      i++;
      while (window != null && i < logits.length && goesOn(examples.get(i))) {
        i++;
      }
      String[] answers;
      int[] classes;
      if (window == null) {
        Values target = examples.get(first).requireTarget();
        classes = new int[target.count()];
        answers = new String[classes.length];
        for (int token = 0; token < classes.length; token++) {
          classes[token] = (int) target.get(token);
          answers[token] = answer(logits[first], token, names);
        }
      } else {
        classes = Objects.requireNonNull(window.sentence().classes());
        answers =
            answers(Arrays.asList(logits).subList(first, i), examples.subList(first, i), names);
      }
      add(count, classes, answers, names);
    }
    return count.with(tokens);
  }

  private static boolean goesOn(Example example) {
    return example.words() != null && example.words().number() > 0;
  }

  private static String answer(float[] logits, int token, List<String> names) {
    return names.get(Probabilities.argMax(ofToken(logits, token, names.size())));
  }

  /** The tag of each word of a sentence; outside of entities where it has no token. */
  private static String[] answers(List<float[]> logits, List<Example> windows, List<String> names) {
    String[] answers = new String[Objects.requireNonNull(windows.get(0).words()).sentence().size()];
    Arrays.fill(answers, TagScheme.OUTSIDE);
    for (int w = 0; w < windows.size(); w++) {
      WordWindow window = Objects.requireNonNull(windows.get(w).words());
      for (int k = 0; k < window.words().length; k++) {
        answers[window.words()[k]] = answer(logits.get(w), window.tokens()[k], names);
      }
    }
    return answers;
  }

  /** What does not count is left out, as if it were not there. */
  private static void add(
      EntityReport.Count count, int[] classes, String[] answers, List<String> names) {
    List<String> labels = new ArrayList<>();
    List<String> counted = new ArrayList<>();
    for (int i = 0; i < classes.length; i++) {
      if (classes[i] >= 0) {
        labels.add(names.get(classes[i]));
        counted.add(answers[i]);
      }
    }
    count.add(labels, counted);
  }

  @Override
  public ClassificationReport report(float[][] logits, List<Example> examples, int outputs) {
    List<float[]> rows = new ArrayList<>();
    List<Long> labels = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      Values target = examples.get(i).requireTarget();
      for (int token = 0; token < target.count(); token++) {
        rows.add(ofToken(logits[i], token, outputs));
        labels.add((long) target.get(token));
      }
    }
    return ClassificationReport.of(
        rows.toArray(float[][]::new), labels.stream().mapToLong(Long::longValue).toArray());
  }

  private static float[] ofToken(float[] logits, int token, int outputs) {
    return Arrays.copyOfRange(logits, token * outputs, (token + 1) * outputs);
  }

  @Override
  protected float[] unpadded(float[] logits, int outputs, int length) {
    boolean padded = logits.length > (long) length * outputs;
    return padded ? Arrays.copyOf(logits, length * outputs) : logits;
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    List<Prediction> tokens = new ArrayList<>();
    for (int token = 0; token * names.size() < logits.length; token++) {
      tokens.add(ClassPrediction.of(ofToken(logits, token, names.size()), names));
    }
    return new OfTokens(tokens, List.of());
  }

  @Override
  public Prediction prediction(
      List<float[]> logits, List<Example> examples, List<String> names, String place) {
    WordWindow first = examples.get(0).words();
    if (first == null) {
      return super.prediction(logits, examples, names, place);
    }
    Sentence sentence = first.sentence();
    Map<String, Double> nothing = new LinkedHashMap<>();
    names.forEach(name -> nothing.put(name, 0.0));
    // Of a word without a token nothing is known; classes may be others than tags of entities.
    nothing.putIfAbsent(TagScheme.OUTSIDE, 0.0);
    Prediction unknown = new ClassPrediction(List.of(TagScheme.OUTSIDE), nothing);
    List<Prediction> words = new ArrayList<>(Collections.nCopies(sentence.size(), unknown));
    for (int w = 0; w < examples.size(); w++) {
      WordWindow window = Objects.requireNonNull(examples.get(w).words());
      for (int k = 0; k < window.words().length; k++) {
        float[] ofWord = ofToken(logits.get(w), window.tokens()[k], names.size());
        Prediction.requireNumbers(ofWord, place);
        words.set(window.words()[k], ClassPrediction.of(ofWord, names));
      }
    }
    return TagScheme.of(names).isPresent()
        ? EntityPrediction.of(sentence, words)
        : new OfTokens(words, sentence.words());
  }

  /** A class for each token, or each word. */
  private record OfTokens(List<Prediction> tokens, List<String> words) implements Prediction {
    OfTokens {
      tokens = List.copyOf(tokens);
    }

    @Override
    public Map<String, Object> columns(List<String> texts) {
      Map<String, Object> columns = new LinkedHashMap<>();
      columns.put("predicted_tokens", texts);
      columns.put(
          "predicted_labels", tokens.stream().flatMap(token -> token.label().stream()).toList());
      return columns;
    }

    @Override
    public Map<String, Object> json(List<String> texts) {
      List<Map<String, Object>> list = new ArrayList<>();
      for (int t = 0; t < texts.size(); t++) {
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("token", texts.get(t));
        token.putAll(tokens.get(t).json(List.of()));
        list.add(token);
      }
      return Map.of("tokens", list);
    }

    @Override
    public List<List<String>> lines(List<String> example, List<String> texts) {
      List<List<String>> lines = new ArrayList<>();
      for (int t = 0; t < texts.size(); t++) {
        lines.addAll(tokens.get(t).lines(List.of(texts.get(t)), List.of()));
      }
      lines.add(List.of());
      return lines;
    }
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    List<Mistake> mistakes = new ArrayList<>();
    WordWindow window = example.words();
    if (window != null) {
      int[] classes = Objects.requireNonNull(window.sentence().classes());
      for (int k = 0; k < window.words().length; k++) {
        float[] ofWord = ofToken(logits, window.tokens()[k], names.size());
        int word = window.words()[k];
        Classes.mistake(number, word, ofWord, classes[word], names).ifPresent(mistakes::add);
      }
      return mistakes;
    }
    for (int t = 0; t < example.requireTarget().count(); t++) {
      Classes.mistake(
              number, t, ofToken(logits, t, names.size()), example.requireTarget().get(t), names)
          .ifPresent(mistakes::add);
    }
    return mistakes;
  }

  @Override
  public boolean answersTokens() {
    return true;
  }

  /** A tag for each word or token, or the types of the spans. */
  @Override
  public List<String> labelsIn(Row row) {
    return SpanLabels.isIn(row)
        ? SpanLabels.of(row).orElse(List.of()).stream().map(EntitySpan::type).toList()
        : LabelList.names(row.requireLabel());
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    return LabelSet.of(rows, row -> Classes.names(LabelList.names(row.requireLabel())));
  }

  @Override
  public LabelSet labelsOf(List<Row> rows, Consumer<String> notices) {
    boolean byWords = rows.stream().anyMatch(row -> row.words() != null || SpanLabels.isIn(row));
    if (!byWords) {
      return labelsOf(rows);
    }
    rows.forEach(Row::requireLabel);
    return WordLabels.classes(rows, notices);
  }

  @Override
  public String describe(LabelSet labels) {
    return Classes.describe(labels);
  }

  @Override
  public List<String> absent(List<Example> examples, List<String> names) {
    return Classes.absent(examples, names);
  }
}
