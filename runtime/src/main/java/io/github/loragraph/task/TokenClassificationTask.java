package io.github.loragraph.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One class for each token of a pre-tokenized row: cross-entropy over the tokens. A label is a JSON
 * array of names or numbers of classes, {@value CrossEntropyLoss#IGNORE_INDEX} for tokens that
 * count nothing; the target is as long as the row's {@code input_ids}.
 */
final class TokenClassificationTask extends Task {
  TokenClassificationTask() {
    super("token-classification", "token-cross-entropy", Logits.Form.TOKEN_CLASSES, null);
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
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
  public Report report(float[][] logits, List<Example> examples, int outputs) {
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
    return new OfTokens(tokens);
  }

  /** A class for each token. */
  private record OfTokens(List<Prediction> tokens) implements Prediction {
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

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    return LabelSet.of(rows, row -> Classes.names(LabelList.names(row.requireLabel())));
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
