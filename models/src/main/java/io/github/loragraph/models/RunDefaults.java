package io.github.loragraph.models;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.training.Pooling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a run reads its data, for later commands on its folder; null where it does not say.
 *
 * @param pairs whether its rows were pairs of texts
 * @param maxLength tokens of a row
 * @param embedding how its texts become embeddings
 * @param documentModel what embeds documents, where the run trained the encoder of queries alone
 */
public record RunDefaults(
    @Nullable String text,
    @Nullable String textPair,
    @Nullable String label,
    @Nullable Boolean pairs,
    @Nullable Task task,
    @Nullable Integer maxLength,
    EmbeddingConfig.Asked embedding,
    @Nullable DocumentModel documentModel) {
  /** The entries of a run's configuration that say how texts become embeddings. */
  public static final String POOLING = "pooling";

  public static final String NORMALIZE = "normalize";
  public static final String QUERY_PREFIX = "queryPrefix";
  public static final String DOCUMENT_PREFIX = "documentPrefix";

  /** Whether the encoder of queries alone was trained. */
  private static final String QUERY_SIDE = "querySide";

  /** Of these nothing depends on where a file lies. */
  private static final List<String> READ =
      List.of(
          "textColumn",
          "textPairColumn",
          "labelColumn",
          RunConfiguration.PAIRS,
          "task",
          "maxLength",
          POOLING,
          NORMALIZE,
          QUERY_PREFIX,
          DOCUMENT_PREFIX);

  private static final int LONGEST_SHOWN = 60;

  /** Of a run that makes no embeddings. */
  public RunDefaults(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      @Nullable Boolean pairs,
      @Nullable Task task,
      @Nullable Integer maxLength) {
    this(text, textPair, label, pairs, task, maxLength, EmbeddingConfig.Asked.NOTHING, null);
  }

  /** Of a model that is no run's. */
  public static final RunDefaults NONE = new RunDefaults(null, null, null, null, null, null);

  /**
   * What the run says that a model belongs to. Columns that it names are mentioned.
   *
   * @throws LoraGraphException if its configuration cannot be read
   */
  public static RunDefaults of(ModelFolder folder, Consumer<String> notes) {
    return of(folder.runConfiguration(), notes);
  }

  /**
   * What a run says.
   *
   * @param config its configuration, which need not be there
   * @throws LoraGraphException if it cannot be read
   */
  public static RunDefaults of(Path config, Consumer<String> notes) {
    if (!Files.isRegularFile(config)) {
      return NONE;
    }
    Map<String, Object> entries = RunConfiguration.entries(config);
    RunDefaults defaults =
        new RunDefaults(
            text(entries, "textColumn", config),
            text(entries, "textPairColumn", config),
            text(entries, "labelColumn", config),
            pairs(entries, config),
            task(entries, config),
            maxLength(entries, config),
            embedding(entries, config),
            documentModel(entries, config));
    List<String> columns = new ArrayList<>();
    for (String name : new String[] {defaults.text, defaults.textPair, defaults.label}) {
      if (name != null) {
        columns.add("'" + name + "'");
      }
    }
    if (!columns.isEmpty()) {
      notes.accept("columns as in " + config + ": " + String.join(", ", columns));
    }
    return defaults;
  }

  /**
   * What {@link #of} takes of a run's configuration, for the folder of its adapter.
   *
   * @return a map in YAML
   */
  public static byte[] reading(Map<String, Object> configuration) {
    Map<String, Object> read = new LinkedHashMap<>();
    for (String key : READ) {
      Object value = configuration.get(key);
      if (value != null) {
        read.put(key, value);
      }
    }
    return RunConfiguration.yaml(read);
  }

  /** The same with what embeds documents. */
  public RunDefaults withDocumentModel(DocumentModel other) {
    return new RunDefaults(text, textPair, label, pairs, task, maxLength, embedding, other);
  }

  private static @Nullable String text(Map<String, Object> entries, String key, Path config) {
    Object value = entries.get(key);
    if (value != null && !(value instanceof String)) {
      throw wrong(config, key, value, "a name");
    }
    return (String) value;
  }

  /**
   * Says so where a row has one text and the run's had two, or the other way round.
   *
   * @return whether it was said
   */
  public boolean sayOtherTexts(List<Row> rows, Consumer<String> notes) {
    if (pairs == null) {
      return false;
    }
    for (Row row : rows) {
      if (row.isText() && pairs != (row.textPair() != null)) {
        notes.accept(
            "%s is %s, and the run was trained on %s: it has not learned to answer that"
                .formatted(
                    row.place(),
                    pairs ? "a single text" : "a pair of texts",
                    pairs ? "pairs" : "single texts"));
        return true;
      }
    }
    return false;
  }

  private static @Nullable Boolean pairs(Map<String, Object> entries, Path config) {
    Object value = entries.get("pairs");
    if (value == null || value instanceof Boolean) {
      return (Boolean) value;
    }
    throw wrong(config, "pairs", value, "true or false");
  }

  private static @Nullable Task task(Map<String, Object> entries, Path config) {
    String name = text(entries, "task", config);
    if (name == null) {
      return null;
    }
    return Tasks.named(name).orElseThrow(() -> wrong(config, "task", name, "a task"));
  }

  private static @Nullable Integer maxLength(Map<String, Object> entries, Path config) {
    Object value = entries.get("maxLength");
    if (value == null || value instanceof Integer length && length > 0) {
      return (Integer) value;
    }
    throw wrong(config, "maxLength", value, "a number of tokens");
  }

  private static @Nullable DocumentModel documentModel(Map<String, Object> entries, Path config) {
    String model = text(entries, RunConfiguration.MODEL, config);
    if (!Boolean.TRUE.equals(entries.get(QUERY_SIDE))) {
      return null;
    }
    String adapter = text(entries, RunConfiguration.ADAPTER, config);
    if (model == null) {
      return DocumentModel.IN_MEMORY;
    }
    if (adapter != null) {
      // What was trained on is then a run, where it is one; else nothing can be opened by one name.
      Path run = AdapterFolder.at(Path.of(adapter)).run();
      return run == null ? DocumentModel.IN_MEMORY : new DocumentModel(run, null);
    }
    return new DocumentModel(Path.of(model), null);
  }

  private static EmbeddingConfig.Asked embedding(Map<String, Object> entries, Path config) {
    @Nullable Pooling pooling = null;
    String name = text(entries, POOLING, config);
    for (Pooling one : Pooling.values()) {
      pooling = one.toString().equals(name) ? one : pooling;
    }
    if (name != null && pooling == null) {
      throw wrong(config, POOLING, name, "one of " + Arrays.toString(Pooling.values()));
    }
    Object normalize = entries.get(NORMALIZE);
    if (normalize != null && !(normalize instanceof Boolean)) {
      throw wrong(config, NORMALIZE, normalize, "true or false");
    }
    return new EmbeddingConfig.Asked(
        pooling,
        (Boolean) normalize,
        text(entries, QUERY_PREFIX, config),
        text(entries, DOCUMENT_PREFIX, config));
  }

  private static LoraGraphException wrong(Path config, String key, Object value, String right) {
    return new LoraGraphException(
        "%s: '%s' is %s where it should be %s: mend it"
            .formatted(
                config, key, PlainText.shortened(String.valueOf(value), LONGEST_SHOWN), right));
  }
}
