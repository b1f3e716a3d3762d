package io.github.loragraph.cli;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.training.Logits;
import java.nio.file.Path;
import java.util.List;

/** A model together with what turns data files into its input: tokenizer and labels. */
final class ModelData implements AutoCloseable {
  private static final int LONGEST = 512;

  private final ModelFolder folder;
  private final OnnxModel model;
  private final Columns columns;
  private final int maxLength;
  private final LabelSet labels;
  private Tokenizer tokenizer;

  /**
   * @param maxLength tokens of a row; null for as many as the model takes
   */
  ModelData(ModelFolder folder, OnnxModel model, Columns columns, Integer maxLength) {
    this.folder = folder;
    this.model = model;
    this.columns = columns;
    int limit = folder.config().maxLength().orElse(LONGEST);
    this.maxLength = maxLength == null ? Math.min(LONGEST, limit) : maxLength;
    if (this.maxLength > limit) {
      throw new LoraGraphException(
          "--max-length %d is more than the %d tokens that the model has positions for"
              .formatted(maxLength, limit));
    }
    this.labels = folder.labels(classes(model));
  }

  private static int classes(OnnxModel model) {
    var type = Logits.of(model.graph()).type();
    if (type == null || type.shape() == null || type.shape().rank() != 2) {
      throw new LoraGraphException(
          "the model has no logits (batch, classes): put a head on it with 'lora-graph add-head'");
    }
    Shape.Dimension classes = type.shape().dimension(1);
    if (!classes.isKnown()) {
      throw new LoraGraphException(
          "the model does not say how many classes it has: export it again");
    }
    return Math.toIntExact(classes.size());
  }

  LabelSet labels() {
    return labels;
  }

  int maxLength() {
    return maxLength;
  }

  /** The labelled examples of a file. */
  List<Example> labelled(Path file) {
    return encoder().withClasses(DataFile.readLabelled(file, columns), labels);
  }

  /** Examples out of rows, labels not looked at. */
  List<Example> unlabelled(List<Row> rows) {
    return encoder().withoutLabels(rows);
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
