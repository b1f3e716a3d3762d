package io.github.loragraph;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.CandidatePairs;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.GroupFile;
import io.github.loragraph.data.NoticesOnce;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.retrieval.EmbeddingMeasure;
import io.github.loragraph.retrieval.SearchSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ObjIntConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Examples to train on, to measure with or to answer: those of a file, or of the program.
 * Immutable.
 *
 * <p>A file is read each time that the data is used, and may be {@code .tsv}, {@code .csv}, {@code
 * .jsonl}, with words and their tags {@code .conll}, or {@code .txt} where no labels are needed,
 * UTF-8, as it is or packed by gzip or zstd. Examples of the program are taken over when the data
 * is made, and held in memory. The same examples give the same training, byte for byte, wherever
 * they come from.
 *
 * <p>Long because each way in which the same examples are read stands here.
 */
public final class Dataset {
  /** Files of so many bytes take as much time to encode as is noticed, and memory that is. */
  private static final long LARGE = 64_000_000;

  /** What text that is packed becomes at least. */
  private static final int UNPACKED = 3;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String UNNAMED = "examples";

  /** None where the examples are the program's. */
  private final List<Path> files;

  private final List<Example> examples;
  private final String name;
  private final NamedColumns columns;

  /** A large file is read once for its checksum; null before. */
  private volatile @Nullable Known known;

  /** The checksum of files as they were. */
  private record Known(FileStamps stamps, String checksum) {}

  /** Null unless it is a search. */
  private final @Nullable Search search;

  /** The files of a search. */
  private record Search(Path corpus, Path queries, Path judgements) {
    List<Path> files() {
      return List.of(corpus, queries, judgements);
    }
  }

  /** The numbers of the examples that are left, from 0; null for all. */
  private final @Nullable BitSet part;

  private Dataset(
      List<Path> files,
      List<Example> examples,
      String name,
      NamedColumns columns,
      @Nullable Search search) {
    this(files, examples, name, columns, search, null);
  }

  private Dataset(
      List<Path> files,
      List<Example> examples,
      String name,
      NamedColumns columns,
      @Nullable Search search,
      @Nullable BitSet part) {
    this.part = part;
    this.files = files;
    this.examples = examples;
    this.name = name;
    this.columns = columns;
    this.search = search;
  }

  /** The examples of a file; what is wrong with it shows when it is read. */
  public static Dataset file(Path file) {
    return new Dataset(List.of(file), List.of(), file.toString(), NamedColumns.USUAL, null);
  }

  /**
   * The examples of several files, as if they were one after the other in one; each may be of
   * another kind and packed in another way. A name that is no file may be a pattern, as in {@code
   * data/*.jsonl.gz}: it stands for the files that match, in the order of their names.
   *
   * @throws LoraGraphException if there is no name, or a pattern matches no file
   */
  public static Dataset files(List<String> names) {
    List<Path> files =
        names.stream().flatMap(name -> FilePattern.of(name).files().stream()).toList();
    if (files.isEmpty()) {
      throw new LoraGraphException("no data files are named: name at least one");
    }
    String name =
        files.size() == 1
            ? files.get(0).toString()
            : "%s and %,d more".formatted(files.get(0), files.size() - 1);
    return new Dataset(files, List.of(), name, NamedColumns.USUAL, null);
  }

  /**
   * A search to measure embeddings with, as BEIR and MS MARCO write them: documents, queries, and
   * which documents are relevant to which query. It has no examples to train on.
   *
   * @param corpus documents with their ids, title and text
   * @param queries with their ids
   * @param judgements query id, document id and grade, of which one above 0 is relevant
   */
  public static Dataset search(Path corpus, Path queries, Path judgements) {
    return new Dataset(
        List.of(),
        List.of(),
        queries.toString(),
        NamedColumns.USUAL,
        new Search(corpus, queries, judgements));
  }

  /** Examples of the program, all of one kind: single texts, pairs, or tokens. */
  public static Dataset of(Iterable<Example> examples) {
    List<Example> copy = new ArrayList<>();
    examples.forEach(copy::add);
    return new Dataset(List.of(), List.copyOf(copy), UNNAMED, NamedColumns.USUAL, null);
  }

  /** The same, out of a stream, which is read to its end. */
  public static Dataset of(Stream<Example> examples) {
    return of(examples.toList());
  }

  /** With the column or field of the text, where it is none of the usual ones. */
  public Dataset withTextColumn(String column) {
    return new Dataset(files, examples, name, columns.withText(column), search, part);
  }

  /** With the column or field of the second text. */
  public Dataset withTextPairColumn(String column) {
    return new Dataset(files, examples, name, columns.withTextPair(column), search, part);
  }

  /** With the column or field of the label. */
  public Dataset withLabelColumn(String column) {
    return new Dataset(files, examples, name, columns.withLabel(column), search, part);
  }

  /** With what messages call it; the n-th example of the program is then {@code NAME:n}. */
  public Dataset withName(String other) {
    Objects.requireNonNull(other, "other");
    return new Dataset(files, examples, other, columns, search, part);
  }

  /**
   * Training data and held-out data of the same examples.
   *
   * @param training what is left
   * @param heldOut a share, to measure with
   */
  public record Split(Dataset training, Dataset heldOut) {}

  /**
   * Holds a share of the examples out, drawn by a seed: of a classification as much of each class
   * as of all. Documents of one query, and groups with one anchor, stay together. Both parts keep
   * the order of the whole.
   *
   * @param task what the examples are for
   * @param share above 0 and below 1
   * @throws LoraGraphException if the data cannot be read, or is too little to be divided
   */
  public Split split(Task task, double share, long seed) {
    return split(HeldOutSplit.of(this, task.internal(), share, seed));
  }

  Split split(HeldOutSplit drawn) {
    BitSet left = new BitSet();
    left.set(0, drawn.examples());
    left.andNot(drawn.held());
    return new Split(part(left), part(drawn.held()));
  }

  /**
   * A part.
   *
   * @param numbers of its examples among those of this data, which may be a part itself
   */
  private Dataset part(BitSet numbers) {
    BitSet whole = part;
    if (whole == null) {
      return new Dataset(files, examples, name, columns, search, numbers);
    }
    BitSet ofWhole = new BitSet();
    int[] members = whole.stream().toArray();
    numbers.stream().forEach(number -> ofWhole.set(members[number]));
    return new Dataset(files, examples, name, columns, search, ofWhole);
  }

  private boolean isInPart(long number) {
    return part == null || part.get(Math.toIntExact(number));
  }

  /** Of all that was read what is in this part. */
  private <E> List<E> ofPart(List<E> all) {
    BitSet numbers = part;
    return numbers == null ? all : numbers.stream().mapToObj(all::get).toList();
  }

  /** The file; empty where the examples are the program's, or those of several. */
  public Optional<Path> file() {
    return files.size() == 1 ? Optional.of(files.get(0)) : Optional.empty();
  }

  /**
   * All files that it is read from, those of a search, too; none where the examples are the
   * program's.
   */
  public List<Path> files() {
    return search != null ? search.files() : files;
  }

  /** What messages call it: a file's path, unless it was named. */
  public String name() {
    return name;
  }

  /**
   * The names of the columns by their entries in a run's configuration; null for the usual ones.
   */
  Map<String, @Nullable String> columns() {
    return columns.asMap();
  }

  /**
   * All rows, each with a label.
   *
   * @param run says which columns are read where this data does not
   * @param notices gets a line for whatever is guessed
   * @throws LoraGraphException if there are none, or one cannot be read or has no label
   */
  List<Row> labelled(RunDefaults run, Consumer<String> notices) {
    Consumer<String> once = NoticesOnce.of(notices);
    if (isOfFiles()) {
      return ofPart(
          inEach(file -> new DataFile(file, columns.or(run).withLabels(), once).labelled()));
    }
    requireSome();
    List<Row> rows = new ArrayList<>(examples.size());
    for (Example example : examples) {
      Row row = example.row(name + ":" + (rows.size() + 1));
      if (row.words() == null && "".equals(row.text()) || "".equals(row.textPair())) {
        throw new LoraGraphException(
            row.place() + " has an empty text: mend the example, or leave it out");
      }
      rows.add(row);
    }
    return ofPart(rows);
  }

  /** The files that are named more than once, in a line each. */
  List<String> repeated() {
    Set<Path> seen = new HashSet<>();
    return files.stream()
        .filter(file -> !seen.add(file.toAbsolutePath().normalize()))
        .distinct()
        .map(file -> file + " is named more than once: so often its rows count")
        .toList();
  }

  /** Whether it has some of the examples alone. */
  boolean isPart() {
    return part != null;
  }

  /**
   * Looks at the files before they are trained on. Of what a training would stream no text is held;
   * what it holds in memory, groups of texts for example, this does, too.
   *
   * @param heldOut data that should have no row of these, or a search for embeddings
   * @param model that is to be trained, or whose tokens lengths are said in
   * @param notices gets a line for whatever is guessed
   * @throws LoraGraphException if a row cannot be read; it names the line
   */
  public DataCheck check(
      Optional<Dataset> heldOut, Optional<Model> model, Consumer<String> notices) {
    return check(heldOut, model, InferenceArguments.DEFAULTS, notices);
  }

  /**
   * The same for a training with arguments.
   *
   * @param arguments of which task and maximum length count
   * @throws LoraGraphException if a row cannot be read; it names the line
   */
  public DataCheck check(
      Optional<Dataset> heldOut,
      Optional<Model> model,
      InferenceArguments arguments,
      Consumer<String> notices) {
    if (!isOfFiles() || heldOut.isPresent() && heldOut.get().files().isEmpty()) {
      throw new LoraGraphException(name + " is of no file: files alone are checked");
    }
    if (isPart() || heldOut.isPresent() && heldOut.get().isPart()) {
      throw new LoraGraphException(
          "%s or what is held out is a part of its files: they are checked as a whole"
              .formatted(name));
    }
    return new DataChecker(notices)
        .check(this, heldOut.orElse(null), model.orElse(null), arguments);
  }

  /**
   * Reads all rows as a training does, and keeps none: less than {@link #check}, which goes on to
   * count them.
   *
   * @param task what the rows are for
   * @param heldOut what is measured with
   * @throws LoraGraphException if a training would refuse a row, of whatever model; it names the
   *     line
   */
  public void validate(Task task, Optional<Dataset> heldOut) {
    TrainingReading reading = new TrainingReading(task.internal(), null, line -> {});
    reading.read(this, false, length -> {}, row -> {});
    heldOut.ifPresent(set -> reading.read(set, true, length -> {}, row -> {}));
  }

  /**
   * Whether its files are so large that a training streams them unless it is told otherwise: 64 MB
   * and more, of packed ones a third of that.
   */
  public boolean isLarge() {
    long bytes = 0;
    for (Path file : files) {
      try {
        bytes += Files.size(file) * (DataFile.isPacked(file) ? UNPACKED : 1);
      } catch (IOException e) {
        return false;
      }
    }
    return bytes >= LARGE;
  }

  /**
   * The files' rows with their labels, where there are any; texts may be empty. Nothing of what is
   * guessed is said.
   */
  void eachAsItStands(Consumer<Row> taker) {
    for (Path file : files) {
      new DataFile(file, columns.withLabels(), line -> {}).each((row, fields) -> taker.accept(row));
    }
  }

  private <E> List<E> inEach(Function<Path, List<E>> reading) {
    return files.stream().flatMap(file -> reading.apply(file).stream()).toList();
  }

  /** Whether its examples are those of files, and no search. */
  boolean isOfFiles() {
    return !files.isEmpty();
  }

  /**
   * Hands over row by row, each with a label and the number of its file.
   *
   * @throws LoraGraphException as {@link #labelled} does, when it comes to the row
   */
  void eachLabelled(RunDefaults run, Consumer<String> notices, ObjIntConsumer<Row> taker) {
    Consumer<String> once = NoticesOnce.of(notices);
    if (!isOfFiles()) {
      requireSome();
    }
    for (int i = 0; i < files.size(); i++) {
      int number = i;
      new DataFile(files.get(i), columns.or(run).withLabels(), once)
          .eachLabelled(row -> taker.accept(row, number));
    }
  }

  /** What its files hold and as what they are read, wherever they lie: a value for JSON. */
  Object content() {
    return List.of(checksum(), files.stream().map(DataFile::kind).toList(), columns());
  }

  /**
   * All groups of texts: in a file by the usual columns, unless they were named.
   *
   * @param run says which columns are read where this data does not
   * @param notices gets a line for whatever is guessed
   * @throws LoraGraphException if there are none, or one has not two texts
   */
  List<TextGroup> groups(RunDefaults run, Consumer<String> notices) {
    Consumer<String> once = NoticesOnce.of(notices);
    if (isOfFiles()) {
      return ofPart(
          inEach(
              file ->
                  new GroupFile(
                          file,
                          columns.or(run).text(),
                          columns.or(run).textPair(),
                          columns.or(run).label(),
                          once)
                      .read()));
    }
    requireSome();
    List<TextGroup> groups = new ArrayList<>(examples.size());
    for (Example example : examples) {
      groups.add(example.group(name + ":" + (groups.size() + 1)));
    }
    return ofPart(groups);
  }

  /**
   * All rows, as a task takes them: each with a label where it learns from labels.
   *
   * @throws LoraGraphException as {@link #labelled} does
   */
  List<Row> of(io.github.loragraph.task.Task task, RunDefaults run, Consumer<String> notices) {
    Consumer<String> once = NoticesOnce.of(notices);
    if (task.ranks()) {
      return pairs(true, run, once);
    }
    if (isOfFiles() && !task.isLabelled()) {
      return ofPart(
          inEach(file -> new DataFile(file, columns.or(run).withoutLabels(), once).unlabelled()));
    }
    return labelled(run, once);
  }

  /**
   * Queries with documents, a pair in each row: those of groups and lists, too.
   *
   * @param labelled whether each has to say how relevant its document is
   * @param run says which columns are read where this data does not
   * @param notices gets a line for whatever is guessed
   * @throws LoraGraphException if there are none, or one has not two texts, or no label
   */
  List<Row> pairs(boolean labelled, RunDefaults run, Consumer<String> notices) {
    Consumer<String> once = NoticesOnce.of(notices);
    List<Row> rows = new ArrayList<>();
    if (isOfFiles()) {
      for (Path file : files) {
        GroupFile groups =
            new GroupFile(
                file,
                columns.or(run).text(),
                columns.or(run).textPair(),
                labelled ? columns.or(run).label() : null,
                once);
        rows.addAll(CandidatePairs.of(groups.withCandidates(labelled).read(), labelled));
      }
    } else {
      requireSome();
      for (int i = 0; i < examples.size(); i++) {
        Example example = examples.get(i);
        String place = name + ":" + (i + 1);
        if (example.text().isEmpty()) {
          rows.add(example.row(place));
        } else {
          rows.addAll(CandidatePairs.of(List.of(example.group(place)), labelled));
        }
      }
    }
    if (labelled) {
      CandidatePairs.check(rows, name, once);
    }
    return ofPart(rows);
  }

  /** The labels alone: rows that may have nothing else in them. */
  List<Row> labels(Consumer<String> notices) {
    Consumer<String> once = NoticesOnce.of(notices);
    return isOfFiles()
        ? ofPart(
            inEach(
                file ->
                    new DataFile(file, columns.or(RunDefaults.NONE).withLabels(), once).labels()))
        : labelled(RunDefaults.NONE, once);
  }

  /**
   * Hands over row by row, with the fields that it has in its file; labels need not be there, and
   * texts may be empty. Of the program's examples there may be none.
   */
  void each(
      RunDefaults run, Consumer<String> notices, BiConsumer<Row, Map<String, JsonNode>> visitor) {
    Consumer<String> once = NoticesOnce.of(notices);
    if (isOfFiles()) {
      long[] number = {0};
      for (Path file : files) {
        new DataFile(file, columns.or(run).withoutLabels(), once)
            .each(
                (row, fields) -> {
                  if (isInPart(number[0]++)) {
                    visitor.accept(row, fields);
                  }
                });
      }
      return;
    }
    if (search != null) {
      requireSome();
    }
    long number = 0;
    for (Example example : examples) {
      number++;
      if (isInPart(number - 1)) {
        visitor.accept(example.row(name + ":" + number), Map.of());
      }
    }
  }

  /**
   * What embeddings are measured by: a search, pairs with scores, or groups of texts.
   *
   * @param notices gets a line for whatever is guessed or left out
   * @throws LoraGraphException if a file cannot be read, or does not fit the others
   */
  EmbeddingMeasure measure(RunDefaults run, Consumer<String> notices) {
    return searchSet(notices)
        .map(EmbeddingMeasure::ofSearch)
        .orElseGet(() -> EmbeddingMeasure.ofGroups(groups(run, notices)));
  }

  /**
   * The search that it is; empty for examples.
   *
   * @param notices gets a line for whatever is guessed or left out
   * @throws LoraGraphException if a file cannot be read, or does not fit the others
   */
  Optional<SearchSet> searchSet(Consumer<String> notices) {
    return Optional.ofNullable(search)
        .map(its -> SearchSet.read(its.corpus(), its.queries(), its.judgements(), notices));
  }

  private void requireSome() {
    if (search != null) {
      throw new LoraGraphException(
          name + " is a search, which embeddings alone are measured with: give examples");
    }
    if (examples.isEmpty()) {
      throw new LoraGraphException(name + " holds no examples: give at least one");
    }
  }

  /** Fields as Java has them. */
  static Map<String, Object> values(Map<String, JsonNode> fields) {
    Map<String, Object> values = new LinkedHashMap<>();
    fields.forEach((key, value) -> values.put(key, JSON.convertValue(value, Object.class)));
    return values;
  }

  /**
   * Tells whether the examples are those that they were: of a whole file the checksum of its
   * content.
   */
  String checksum() {
    Known before = known;
    if (before != null && before.stamps.areUnchanged()) {
      return before.checksum;
    }
    FileStamps stamps = FileStamps.of(files());
    String checksum = checksumOfContent();
    if (!files().isEmpty()) {
      known = new Known(stamps, checksum);
    }
    return checksum;
  }

  private String checksumOfContent() {
    if (files.size() == 1 && part == null) {
      return Checksum.of(files.get(0));
    }
    Checksum.Builder checksum = new Checksum.Builder();
    if (part != null) {
      checksum.add(part.toByteArray());
    }
    for (Path file : files()) {
      checksum.add(Checksum.of(file).getBytes(StandardCharsets.UTF_8));
    }
    for (Example example : examples) {
      Row row = example.row("");
      String content =
          "%s\0%s\0%s\0%s%s\n"
              .formatted(
                  row.text(),
                  row.textPair(),
                  row.label(),
                  new TreeMap<>(row.values()),
                  (row.words() == null ? "" : "\0" + row.words().texts())
                      + (example.hasGroup() ? "\0" + example.group("") : ""));
      checksum.add(content.getBytes(StandardCharsets.UTF_8));
    }
    return checksum.build();
  }

  @Override
  public String toString() {
    return files.isEmpty() && search == null ? "%s (%,d)".formatted(name, examples.size()) : name;
  }
}
