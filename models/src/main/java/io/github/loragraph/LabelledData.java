package io.github.loragraph;

import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.data.StreamedData;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Examples with labels as a model takes them: held in memory or, where the files are large, made
 * while they are asked for. They are the same either way.
 */
final class LabelledData {
  private static final String FOLDER = "tokens";

  private final Dataset set;
  private final ModelData data;
  private final List<Example> examples;

  /** None where the examples are streamed. */
  private final List<Row> rows;

  /** Null where the examples are streamed. */
  private final ModelData.@Nullable Encoded encoded;

  private final @Nullable StreamedData streamed;

  /** Of the files that are streamed, from before they were read. */
  private final @Nullable FileStamps stamps;

  private final Consumer<String> notes;
  private boolean toldCut;

  private LabelledData(
      Dataset set,
      ModelData data,
      List<Example> examples,
      List<Row> rows,
      ModelData.@Nullable Encoded encoded,
      @Nullable StreamedData streamed,
      @Nullable FileStamps stamps,
      Consumer<String> notes) {
    this.notes = notes;
    this.set = set;
    this.data = data;
    this.examples = examples;
    this.rows = rows;
    this.encoded = encoded;
    this.streamed = streamed;
    this.stamps = stamps;
  }

  /**
   * Data to train on.
   *
   * @throws LoraGraphException if it cannot be read, or does not fit the model
   */
  static LabelledData toTrainOn(
      ModelData data, Dataset set, TrainingArguments arguments, TrainingNotes notes) {
    return streamed(data, set, arguments, notes)
        .orElseGet(
            () -> {
              List<Row> rows = rows(data, set, notes);
              ModelData.Encoded encoded =
                  data.trained(set.name(), rows, arguments.labelsAllSubwords());
              return new LabelledData(
                  set, data, encoded.examples(), rows, encoded, null, null, notes);
            });
  }

  /**
   * Data to measure with.
   *
   * @throws LoraGraphException if it cannot be read, or does not fit the model
   */
  static LabelledData toMeasureWith(
      ModelData data, Dataset set, TrainingArguments arguments, TrainingNotes notes) {
    return streamed(data, set, arguments, notes)
        .orElseGet(
            () -> {
              List<Row> rows = rows(data, set, notes);
              ModelData.Encoded encoded = data.measured(set.name(), rows);
              return new LabelledData(
                  set, data, encoded.examples(), rows, encoded, null, null, notes);
            });
  }

  static List<Row> rows(ModelData data, Dataset set, TrainingNotes notes) {
    List<Row> rows = set.of(data.task(), RunDefaults.NONE, notes.ofData());
    data.requireAlike(rows);
    return rows;
  }

  private static Optional<LabelledData> streamed(
      ModelData data, Dataset set, TrainingArguments arguments, TrainingNotes notes) {
    boolean possible = data.task().isRowByRow() && set.isOfFiles();
    if (!possible || !arguments.streaming().orElseGet(set::isLarge)) {
      return Optional.empty();
    }
    if (set.isPart()) {
      notes.accept(set.name() + " is held in memory: a share of it is held out");
      return Optional.empty();
    }
    Path folder;
    try {
      folder = arguments.cacheDir().orElseGet(() -> ToolCache.ofThisUser().folder(FOLDER));
    } catch (LoraGraphException e) {
      notes.accept(set.name() + " is held in memory: " + e.getMessage());
      return Optional.empty();
    }
    StreamedData streamed;
    // From before the checksum: it is to be that of the rows that are read.
    FileStamps stamps = FileStamps.of(set.files());
    try {
      streamed =
          data.streamed(
              folder,
              set.content(),
              set.files().stream().map(Path::toString).toList(),
              (taker, said) -> {
                set.eachLabelled(RunDefaults.NONE, said, taker);
                stamps.requireUnchanged("begin the training again");
              });
    } catch (StreamedData.NoTexts e) {
      notes.accept(set.name() + " has tokens in the place of texts: it is held in memory");
      return Optional.empty();
    }
    // What others are held to: a row of the kind that all are of.
    data.requireAlike(
        List.of(new Row("", streamed.arePairs() ? "" : null, null, Map.of(), streamed.place(0))));
    return Optional.of(
        new LabelledData(set, data, streamed.examples(), List.of(), null, streamed, stamps, notes));
  }

  List<Example> examples() {
    return examples;
  }

  /** The rows that they were made of; none where they are streamed. */
  List<Row> rows() {
    return rows;
  }

  /** Keeps what a model answers otherwise than they say. */
  WorstMistakes worst() {
    return encoded == null
        ? new WorstMistakes(data, examples, this::inWords)
        : WorstMistakes.of(data, rows, encoded);
  }

  /** The texts of rows that are streamed are not kept: they are read again. */
  private List<Mistake> inWords(List<io.github.loragraph.task.Mistake> found) {
    StreamedData all = Objects.requireNonNull(streamed);
    Map<Integer, Row> read =
        rowsOf(all, found.stream().map(mistake -> mistake.example()).collect(Collectors.toSet()));
    return found.stream()
        .map(
            mistake -> {
              @Nullable Row row = read.get(mistake.example());
              return new Mistake(
                  all.place(mistake.example()),
                  mistake.token() < 0 ? OptionalInt.empty() : OptionalInt.of(mistake.token()),
                  mistake.label(),
                  mistake.answer(),
                  mistake.loss(),
                  row == null ? ofTokens(mistake.example()) : Optional.ofNullable(row.text()),
                  Optional.empty(),
                  Optional.empty(),
                  row == null ? Optional.empty() : Optional.ofNullable(row.textPair()));
            })
        .toList();
  }

  private Optional<String> ofTokens(int number) {
    Example example = examples.get(number);
    return data.canDecode(example)
        ? Optional.of(String.join(" ", data.tokens(example)))
        : Optional.empty();
  }

  /** Some rows by their numbers; none where the files are no longer what they were. */
  private Map<Integer, Row> rowsOf(StreamedData all, Set<Integer> numbers) {
    Map<Integer, Row> found = new HashMap<>();
    if (numbers.isEmpty()) {
      return found;
    }
    int[] next = {0};
    FileStamps then = Objects.requireNonNull(stamps);
    try {
      then.requireUnchanged("its texts are not those that were answered");
      set.eachLabelled(
          RunDefaults.NONE,
          line -> {},
          (row, file) -> {
            int number = next[0]++;
            if (numbers.contains(number) && row.place().equals(all.place(number))) {
              found.put(number, row);
            }
          });
      then.requireUnchanged("its texts are not those that were answered");
      return found;
    } catch (LoraGraphException e) {
      notes.accept("the worst mistakes are told in tokens: " + e.getMessage());
      return Map.of();
    }
  }

  /** Those that are trained on. */
  List<Example> sample(TrainingArguments arguments, TrainingNotes notes) {
    if (arguments.drawsOfClasses()) {
      List<Example> targets = StoredExamples.targetsOf(examples);
      return StoredExamples.selected(
          examples, arguments.sampleOfClasses(targets, data.labels().names(), notes));
    }
    if (streamed != null) {
      List<Integer> all = IntStream.range(0, examples.size()).boxed().toList();
      List<Integer> drawn = arguments.sample(all);
      return drawn == all
          ? examples
          : StoredExamples.selected(examples, drawn.stream().mapToInt(Integer::intValue).toArray());
    }
    return arguments.sample(BatchSource.units(examples, data.task().ranks())).stream()
        .flatMap(List::stream)
        .toList();
  }

  /**
   * How many texts were cut; of streamed ones it is said when it is known. It is asked when the
   * training is over: a row that none of its steps was of does not undo it.
   */
  int truncated() {
    if (encoded != null) {
      return encoded.truncated();
    }
    StreamedData all = Objects.requireNonNull(streamed);
    int cut;
    try {
      cut = all.cut();
    } catch (LoraGraphException e) {
      if (!toldCut) {
        toldCut = true;
        notes.accept(
            "no step was of it, but a row cannot be trained on, and how many texts are cut is not known: "
                + e.getMessage());
      }
      return all.cutSoFar();
    }
    if (!toldCut) {
      toldCut = true;
      data.tellCut(set.name(), cut, all.rows());
    }
    return cut;
  }
}
