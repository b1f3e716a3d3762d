package io.github.loragraph.models;

import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.EmbeddingTables;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A model together with what turns data files into its input: tokenizer and labels. What is guessed
 * or cut on the way goes to the notices, a line each.
 */
public final class ModelData implements AutoCloseable {
  private static final int LONGEST = 512;

  private final ModelFolder folder;
  private final Answer answer;
  private final InputSizes sizes;
  private final Columns columns;
  private final Consumer<String> notices;
  private final EmbeddingTables tables;
  private final int maxLength;
  private final LabelSet labels;
  private final Map<Path, Integer> truncated = new LinkedHashMap<>();
  private Row firstRow;
  private Tokenizer tokenizer;

  /**
   * @param maxLength tokens of a row; null for as many as the model takes, at most 512
   * @param task what the model is to answer; null for what its configuration says
   * @param notices gets a line for whatever is guessed or cut
   * @param inference asked only where the model does not declare what it answers
   * @throws LoraGraphException if the model, its configuration and the arguments do not fit
   */
  public ModelData(
      ModelFolder folder,
      OnnxModel model,
      Columns columns,
      Integer maxLength,
      Task task,
      Consumer<String> notices,
      ShapeInference inference) {
    this.folder = folder;
    this.answer = Answer.of(model, task, folder.config().problemType(), inference);
    this.sizes = InputSizes.of(model.graph().requiredInputs());
    this.columns = columns;
    this.notices = notices;
    this.tables = EmbeddingTables.of(model.graph());
    int positions = limit(folder.config().maxLength(), tables.positions());
    int limit = sizes.tokens() > 0 ? Math.min(positions, sizes.tokens()) : positions;
    this.maxLength = maxLength == null ? Math.min(LONGEST, limit) : maxLength;
    if (this.maxLength > limit) {
      throw new LoraGraphException(
          "--max-length %d is more than the %d tokens that the model takes"
              .formatted(this.maxLength, limit));
    }
    this.labels = folder.labels(answer.outputs());
    requireKnownPadding();
  }

  /** Where configuration and graph differ, what both have room for. */
  private static int limit(OptionalInt stated, OptionalInt found) {
    return stated.isEmpty() && found.isEmpty()
        ? LONGEST
        : Math.min(stated.orElse(Integer.MAX_VALUE), found.orElse(Integer.MAX_VALUE));
  }

  private void requireKnownPadding() {
    int known = tables.rows().getOrDefault("input_ids", Integer.MAX_VALUE);
    OptionalInt padding = folder.config().padTokenId();
    if (padding.isPresent() && padding.getAsInt() >= known) {
      throw new LoraGraphException(
          "%s beside %s has the pad_token_id %d, and the model's vocabulary has %d: the file is another model's"
              .formatted(ModelConfig.FILE, folder.modelFile(), padding.getAsInt(), known));
    }
  }

  public LabelSet labels() {
    return labels;
  }

  public Task task() {
    return answer.task();
  }

  /** What the model is taken to answer. */
  public Answer answer() {
    return answer;
  }

  /** What is worth saying of how the model is read, a line each. */
  public List<String> notes() {
    return Stream.concat(answer.notes().stream(), sizes.notes().stream()).toList();
  }

  /** The size of the logits' last axis. */
  public int outputs() {
    return answer.outputs();
  }

  /** Tokens of a row, special ones included. */
  public int maxLength() {
    return maxLength;
  }

  /**
   * The labelled examples of a file. Files that are read one after the other must all have single
   * texts or all have pairs.
   *
   * @throws LoraGraphException if the file cannot be read, or does not fit the model
   */
  public List<Example> labelled(Path file) {
    return labelled(file, labelledRows(file));
  }

  /**
   * The rows of a file, each with a label.
   *
   * @throws LoraGraphException if the file cannot be read, or has pairs where another had single
   *     texts, or the other way round
   */
  public List<Row> labelledRows(Path file) {
    List<Row> rows = new DataFile(file, columns, notices).labelled();
    if (firstRow == null) {
      firstRow = rows.get(0);
    } else if (firstRow.isText()
        && rows.get(0).isText()
        && (firstRow.textPair() == null) != (rows.get(0).textPair() == null)) {
      throw new LoraGraphException(
          "%s has %s, and %s has %s: give both the same columns"
              .formatted(firstRow.place(), kind(firstRow), rows.get(0).place(), kind(rows.get(0))));
    }
    return rows;
  }

  /** Whether the labelled rows are pairs of texts; empty where none was read, or not as text. */
  public Optional<Boolean> pairs() {
    return Optional.ofNullable(firstRow).filter(Row::isText).map(row -> row.textPair() != null);
  }

  private static String kind(Row row) {
    return row.textPair() == null ? "single texts" : "pairs";
  }

  /** Examples out of the rows of a file. */
  public List<Example> labelled(Path file, List<Row> rows) {
    ExampleEncoder encoder = encoder();
    List<Example> examples = task().encode(encoder, rows, labels);
    truncated.put(file, encoder.cut());
    tellCut(file.toString(), encoder.cut(), rows.size());
    return examples;
  }

  /** Examples out of rows, labels not looked at. How many were cut is counted, and not said. */
  public List<Example> unlabelled(List<Row> rows, Cuts cuts) {
    ExampleEncoder encoder = encoder();
    List<Example> examples = encoder.withoutLabels(rows);
    cuts.texts += rows.size();
    cuts.cut += encoder.cut();
    return examples;
  }

  /**
   * Says how many texts were cut, if any were.
   *
   * @param where the file they are in, or what else they come from
   */
  public void tell(String where, Cuts cuts) {
    tellCut(where, cuts.cut, cuts.texts);
  }

  private void tellCut(String where, long cut, long texts) {
    if (cut > 0) {
      notices.accept(
          "%s: %,d of %,d texts cut at %d tokens".formatted(where, cut, texts, maxLength));
    }
  }

  /** How many texts there were, and how many of them were cut at the maximum length. */
  public static final class Cuts {
    private long texts;
    private long cut;

    /** How many texts were cut. */
    public long cut() {
      return cut;
    }
  }

  /** For each file of labelled examples how many of its texts were cut at the maximum length. */
  public int truncated(Path file) {
    return truncated.getOrDefault(file, 0);
  }

  /**
   * Hands over the rows of a file one by one; labels are not needed, texts may be empty.
   *
   * @throws LoraGraphException as {@link DataFile#each} does
   */
  public void each(Path file, DataFile.Visitor visitor) {
    new DataFile(file, columns, notices).each(visitor);
  }

  /** Whether there is a tokenizer for the tokens of an example. */
  public boolean canDecode(Example example) {
    return folder.hasTokenizer() && example.inputs().containsKey("input_ids");
  }

  /** The tokens of an example, as text. */
  public List<String> tokens(Example example) {
    Values ids = example.inputs().get("input_ids");
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < ids.count(); i++) {
      texts.add(tokenizer().text((long) ids.get(i)));
    }
    return texts;
  }

  private ExampleEncoder encoder() {
    return new ExampleEncoder(
        answer.model().graph().requiredInputs(), this::tokenizer, maxLength, tables);
  }

  private Tokenizer tokenizer() {
    if (tokenizer == null) {
      tokenizer = folder.tokenizer(maxLength);
    }
    return tokenizer;
  }

  /** What fills up {@code input_ids}: the configuration's id, or the tokenizer's. */
  public long padId() {
    if (folder.config().padTokenId().isPresent()) {
      return folder.config().padTokenId().getAsInt();
    }
    return tokenizer == null && !folder.hasTokenizer() ? 0 : tokenizer().padId();
  }

  @Override
  public void close() {
    if (tokenizer != null) {
      tokenizer.close();
    }
  }
}
