package io.github.loragraph.cli;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.Values;
import io.github.loragraph.evaluation.Task;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.Logits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A model together with what turns data files into its input: tokenizer and labels. */
final class ModelData implements AutoCloseable {
  private static final int LONGEST = 512;

  private final ModelFolder folder;
  private final OnnxModel model;
  private final Columns columns;
  private final int maxLength;
  private final Task task;
  private final int outputs;
  private final LabelSet labels;
  private Tokenizer tokenizer;

  /**
   * @param maxLength tokens of a row; null for as many as the model takes
   * @param task what the model is to answer; null for what its configuration says
   */
  ModelData(ModelFolder folder, OnnxModel model, Columns columns, Integer maxLength, Task task) {
    this.folder = folder;
    this.outputs = Logits.count(model.graph());
    this.task = Task.of(task, folder.config().problemType(), model.graph());
    this.model = model;
    this.columns = columns;
    int limit = folder.config().maxLength().orElse(LONGEST);
    this.maxLength = maxLength == null ? Math.min(LONGEST, limit) : maxLength;
    if (this.maxLength > limit) {
      throw new LoraGraphException(
          "--max-length %d is more than the %d tokens that the model has positions for"
              .formatted(maxLength, limit));
    }
    this.labels = folder.labels(outputs);
  }

  LabelSet labels() {
    return labels;
  }

  Task task() {
    return task;
  }

  /** The size of the logits' last axis. */
  int outputs() {
    return outputs;
  }

  int maxLength() {
    return maxLength;
  }

  /** The labelled examples of a file. */
  List<Example> labelled(Path file) {
    return task.encode(encoder(), DataFile.readLabelled(file, columns), labels);
  }

  /** Examples out of rows, labels not looked at. */
  List<Example> unlabelled(List<Row> rows) {
    return encoder().withoutLabels(rows);
  }

  /** The tokens of an example, as text. */
  List<String> tokens(Example example) {
    Values ids = example.inputs().get("input_ids");
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < ids.count(); i++) {
      texts.add(tokenizer().text((long) ids.get(i)));
    }
    return texts;
  }

  private ExampleEncoder encoder() {
    return new ExampleEncoder(model.graph().requiredInputs(), this::tokenizer, maxLength);
  }

  private Tokenizer tokenizer() {
    if (tokenizer == null) {
      tokenizer = folder.tokenizer(maxLength);
    }
    return tokenizer;
  }

  /** What fills up {@code input_ids}: the configuration's id, or the tokenizer's. */
  long padId() {
    if (folder.config().padTokenId().isPresent()) {
      return folder.config().padTokenId().getAsInt();
    }
    return tokenizer == null ? 0 : tokenizer.padId();
  }

  @Override
  public void close() {
    if (tokenizer != null) {
      tokenizer.close();
    }
  }
}
