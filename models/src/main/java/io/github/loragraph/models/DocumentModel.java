package io.github.loragraph.models;

import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What embeds the documents of an encoder that was trained for queries alone. A model says it in
 * its {@code metadata_props}, so that it is known wherever the file goes, merged ones too.
 *
 * @param file the model, the run folder of an adapter for one, or a word for what is in no file
 * @param checksum the SHA-256 of the file; null where it is not known
 */
public record DocumentModel(Path file, @Nullable String checksum) {
  /** The key in a model's metadata. */
  public static final String KEY = "lora_graph.document_model";

  private static final Pattern VALUE = Pattern.compile("(?:sha256:([0-9a-f]{64}) )?(.+)");
  private static final int LONGEST_SHOWN = 60;

  /** A model that no file has. */
  static final DocumentModel IN_MEMORY = new DocumentModel(Path.of("(a model in memory)"), null);

  /**
   * A model as it lies in its file; a word where no file has it.
   *
   * @throws LoraGraphException if the file cannot be read
   */
  public static DocumentModel of(Optional<Path> file) {
    return file.map(f -> new DocumentModel(f.toAbsolutePath().normalize(), checksum(f)))
        .orElse(IN_MEMORY);
  }

  /**
   * What a model says.
   *
   * @throws LoraGraphException if it says something else under the key
   */
  public static Optional<DocumentModel> notedIn(OnnxModel model) {
    String value = model.metadata().get(KEY);
    if (value == null) {
      return Optional.empty();
    }
    Matcher matcher = VALUE.matcher(value);
    try {
      if (matcher.matches()) {
        return Optional.of(new DocumentModel(Path.of(matcher.group(2)), matcher.group(1)));
      }
    } catch (InvalidPathException e) {
      // It is said below.
    }
    throw new LoraGraphException(
        "the model says in its metadata ('%s') that its documents are embedded by '%s', which is no file"
            .formatted(KEY, PlainText.shortened(value, LONGEST_SHOWN)));
  }

  /** A model that says so. */
  public OnnxModel noteIn(OnnxModel model) {
    return model.withMetadata(KEY, (checksum == null ? "" : "sha256:" + checksum + " ") + file);
  }

  /** A model that says no such thing. */
  public static OnnxModel removeFrom(OnnxModel model) {
    return model.withMetadata(KEY, null);
  }

  /** Of a run that has its adapter alone, that tells whether it is the same. */
  private static String checksum(Path file) {
    return Checksum.of(
        RunFolder.hasAdapter(file)
            ? file.resolve(RunFolder.ADAPTER).resolve(PeftAdapter.TENSORS_FILE)
            : file);
  }

  /** Why it cannot be taken; empty where it can. */
  public Optional<String> obstacle() {
    if (!Files.exists(file)) {
      return Optional.of("is not there");
    }
    return checksum == null || checksum.equals(checksum(file))
        ? Optional.empty()
        : Optional.of("is not the file that it was");
  }
}
