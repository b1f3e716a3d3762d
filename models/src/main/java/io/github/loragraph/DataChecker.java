package io.github.loragraph;

import io.github.loragraph.data.EmbeddingTables;
import io.github.loragraph.data.LineEnds;
import io.github.loragraph.data.NoticesOnce;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.SpanLabels;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads data of any size as a training does, and goes over it for what no training refuses; of a
 * row no more is held than a number that tells its text.
 *
 * <p>Long because all that is counted of a row is counted in one pass.
 */
final class DataChecker {
  private static final int AT_ONCE = 1024;

  /** More labels than that are texts or numbers, and not counted one by one. */
  private static final int COUNTED = 100_000;

  private static final int LONGEST = 512;

  /** UTF-8 that was read as Latin-1 or Windows-1252, and written as UTF-8 again. */
  private static final Pattern MOJIBAKE =
      Pattern.compile("\u00c3[\u0080-\u00bf\u2018-\u2122]|\u00e2\u20ac|\u00c2[\u00a0-\u00bf]");

  private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}&&[^\t\n\r]]");
  private static final Pattern ZERO_WIDTH =
      Pattern.compile("[\u200b\u2060\ufeff\u00ad\u202a-\u202e]");

  private final Consumer<String> notices;
  private final Map<String, Long> labels = new LinkedHashMap<>();
  private final Map<String, FoundRows> odd = new TreeMap<>();
  private final TextNumbers texts = new TextNumbers();
  private final TextNumbers heldOut = new TextNumbers();
  private long rows;
  private final FoundRows unlabelled = new FoundRows();
  private final FoundRows withoutClass = new FoundRows();

  /** Whether labels were taken for several, which nobody said. */
  private boolean takenForSeveral;

  private final FoundRows empty = new FoundRows();
  private final FoundRows duplicates = new FoundRows();
  private final FoundRows contradictions = new FoundRows();
  private final FoundRows leaked = new FoundRows();
  private @Nullable LoraGraphException refusal;

  DataChecker(Consumer<String> notices) {
    this.notices = NoticesOnce.of(notices);
  }

  DataCheck check(
      Dataset data, @Nullable Dataset held, @Nullable Model model, InferenceArguments arguments) {
    tellFiles(data);
    if (held != null) {
      tellFiles(held);
    }
    @Nullable Task task = arguments.task().map(io.github.loragraph.Task::internal).orElse(null);
    Optional<Integer> positions = arguments.maxLength();
    @Nullable TokenCounts counts = null;
    try (ModelData encoding = model == null ? null : open(model, arguments)) {
      task = encoding == null ? task : encoding.task();
      if (encoding != null) {
        counts = new TokenCounts(encoding.maxLength());
        positions = Optional.of(encoding.maxLength());
      }
      if (task != null) {
        read(task, encoding, data, held, counts);
      }
    }
    if (counts == null || counts.isEmpty() || refusal != null) {
      counts = null;
    }
    Task seen = task == null ? Tasks.CLASSIFICATION : task;
    if (held != null && held.isOfFiles()) {
      each(held, seen, row -> heldOut.add(number(row), 0), text -> {});
    }
    try (Measure measure = model == null || counts != null ? null : new Measure(model, positions)) {
      each(
          data,
          seen,
          row -> take(row, seen, seen.isLabelled() && seen != Tasks.EMBEDDING),
          text -> {
            if (measure != null) {
              measure.add(text);
            }
          });
      if (measure != null) {
        counts = measure.counts();
      }
    }
    if (task == null && !labels.isEmpty()) {
      read(Tasks.CLASSIFICATION, null, data, held, null);
    }
    return new DataCheck(
        rows,
        sorted(),
        labels.size(),
        unlabelled.rows(),
        withoutClass.rows(),
        empty.rows(),
        duplicates.rows(),
        contradictions.rows(),
        leaked.rows(),
        oddTexts(),
        alike(),
        counts == null || counts.isEmpty() ? null : counts.lengths(),
        refusal);
  }

  private void tellFiles(Dataset data) {
    data.repeated().forEach(notices);
    for (Path file : data.files()) {
      if (Files.isRegularFile(file)) {
        LineEnds.of(file).notes().forEach(note -> notices.accept(file + ": " + note));
      }
    }
  }

  /**
   * The model as a training has it; null where it answers nothing that labels are for, as an
   * encoder without a head: its tokens are counted all the same.
   */
  private @Nullable ModelData open(Model model, InferenceArguments arguments) {
    ShapeInference shapes = new SessionShapeInference(RuntimeBuild.any());
    boolean asked = arguments.task().isPresent() || model.trainedTask().isPresent();
    try {
      if (!asked) {
        Answer.of(model.graph(), null, model.files().config().problemType(), shapes);
      }
    } catch (LoraGraphException e) {
      notices.accept(hasNoHead(e) ? withoutLabels(model) : notCompared(model, e));
      return null;
    }
    try {
      return Training.open(model, arguments, notices, shapes);
    } catch (LoraGraphException e) {
      if (!hasNoHead(e)) {
        throw e;
      }
      notices.accept(withoutLabels(model));
      return null;
    }
  }

  private static boolean hasNoHead(LoraGraphException e) {
    return e.advice().map(Advice::remedy).equals(Optional.of(Remedy.ADD_HEAD_OR_NAME_OUTPUT));
  }

  private static String withoutLabels(Model model) {
    return "lengths are in the tokens of %s, which has no labels to compare those of the data with"
        .formatted(model.shown());
  }

  private static String notCompared(Model model, LoraGraphException e) {
    return "labels are not compared with those of the model: " + e.in(model.shown()).what();
  }

  private void read(
      Task task,
      @Nullable ModelData encoding,
      Dataset data,
      @Nullable Dataset held,
      @Nullable TokenCounts counts) {
    TrainingReading reading = new TrainingReading(task, encoding, notices);
    try {
      reading.read(
          data,
          false,
          length -> Objects.requireNonNull(counts).add(length),
          row -> Objects.requireNonNull(counts).cut(row));
      if (held != null) {
        reading.read(held, true, length -> {}, row -> {});
      }
    } catch (LoraGraphException e) {
      refusal = e;
    }
  }

  /**
   * Rows as they stand, or what a task makes of them where it reads other columns.
   *
   * @param texts gets what is encoded at once: rows, or of groups each text
   */
  private static void each(Dataset data, Task task, Consumer<Row> taker, Consumer<Row> texts) {
    if (task == Tasks.EMBEDDING) {
      for (TextGroup group : data.groups(RunDefaults.NONE, line -> {})) {
        taker.accept(
            new Row(
                group.anchor().text(),
                group.positive().text(),
                null,
                group.anchor().values(),
                group.place()));
        group.all().forEach(texts);
      }
    } else if (task.ranks()) {
      data.pairs(true, RunDefaults.NONE, line -> {}).forEach(taker.andThen(texts));
    } else {
      data.eachAsItStands(taker.andThen(texts));
    }
  }

  private void take(Row row, Task task, boolean labelled) {
    rows++;
    String label = row.label();
    if (label == null || label.isEmpty()) {
      if (labelled) {
        unlabelled.add(row);
      }
    } else {
      count(row, counting(row, label, task));
    }
    if (!row.isText()) {
      return;
    }
    String text = row.text() + (row.textPair() == null ? "" : "\t" + row.textPair());
    if (text.isBlank()) {
      empty.add(row);
      return;
    }
    tellOdd(row, text);
    long number = number(row);
    int before = texts.add(number, label == null ? 0 : label.hashCode());
    if (before != TextNumbers.NEW) {
      duplicates.add(row);
    }
    if (before == TextNumbers.OTHER) {
      contradictions.add(row);
    }
    if (heldOut.contains(number)) {
      leaked.add(row);
    }
  }

  /** What a row's label is of, where the task that is given, or usual, has no lists. */
  private Task counting(Row row, String label, Task task) {
    if (row.words() != null || SpanLabels.isIn(row)) {
      return Tasks.TOKEN_CLASSIFICATION;
    }
    if (task == Tasks.CLASSIFICATION && label.startsWith("[") && label.endsWith("]")) {
      if (!takenForSeveral) {
        takenForSeveral = true;
        notices.accept(
            "labels are lists: they are counted as several labels, which the task multilabel learns");
      }
      return Tasks.MULTILABEL;
    }
    return task;
  }

  private void count(Row row, Task task) {
    List<String> found = task.labelsIn(row);
    if (found.isEmpty()) {
      withoutClass.add(row);
    }
    for (String each : found) {
      if (labels.size() < COUNTED || labels.containsKey(each)) {
        labels.merge(each, 1L, Long::sum);
      }
    }
  }

  private void tellOdd(Row row, String text) {
    boolean plain = true;
    for (int i = 0; i < text.length() && plain; i++) {
      char c = text.charAt(i);
      plain = c < 0x7f && (c >= ' ' || c == '\t');
    }
    if (plain) {
      return;
    }
    tellOdd(row, text.indexOf('\ufffd') >= 0, "replacement characters");
    tellOdd(row, MOJIBAKE.matcher(text).find(), "UTF-8 that was read as Latin-1");
    tellOdd(row, CONTROL.matcher(text).find(), "control characters");
    tellOdd(row, ZERO_WIDTH.matcher(text).find(), "characters without width");
  }

  private void tellOdd(Row row, boolean is, String what) {
    if (is) {
      odd.computeIfAbsent(what, key -> new FoundRows()).add(row);
    }
  }

  private Map<String, DataCheck.Rows> oddTexts() {
    Map<String, DataCheck.Rows> rows = new TreeMap<>();
    odd.forEach((what, found) -> rows.put(what, found.rows()));
    return Collections.unmodifiableMap(rows);
  }

  private Map<String, Long> sorted() {
    Map<String, Long> first = new LinkedHashMap<>();
    labels.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .limit(DataCheck.MOST_LABELS)
        .forEach(entry -> first.put(entry.getKey(), entry.getValue()));
    return Collections.unmodifiableMap(first);
  }

  private List<String> alike() {
    Map<String, String> known = new LinkedHashMap<>();
    List<String> alike = new ArrayList<>();
    for (String label : labels.keySet()) {
      String other =
          known.putIfAbsent(label.toLowerCase(Locale.ROOT).replaceAll("\\s+", " "), label);
      if (other != null) {
        alike.add("'%s' and '%s'".formatted(other, label));
      }
    }
    return List.copyOf(alike);
  }

  /** Equal for equal texts, and for others with hardly any likelihood. */
  private static long number(Row row) {
    long hash = 0xcbf29ce484222325L;
    String text = row.isText() ? row.text() + "\t" + row.textPair() : row.values().toString();
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return hash ^ (hash >>> 32);
  }

  /** How many texts have how many tokens. */
  private static final class TokenCounts {
    private final long[] counts;
    private final FoundRows cut = new FoundRows();

    TokenCounts(int positions) {
      counts = new long[positions + 1];
    }

    boolean isEmpty() {
      return Arrays.stream(counts).allMatch(count -> count == 0);
    }

    void add(int length) {
      counts[Math.min(length, counts.length - 1)]++;
    }

    void cut(Row row) {
      cut.add(row);
    }

    DataCheck.Lengths lengths() {
      long all = Arrays.stream(counts).sum();
      return new DataCheck.Lengths(
          at((all + 1) / 2), at(all - all / 20), counts.length - 1, cut.rows());
    }

    private int at(long texts) {
      long sum = 0;
      int length = 0;
      for (; length < counts.length - 1 && sum + counts[length] < texts; length++) {
        sum += counts[length];
      }
      return length;
    }
  }

  /** Lengths in the tokens of a model that answers to no labels, or of rows that it refuses. */
  private static final class Measure implements AutoCloseable {
    private final Model model;
    private final int positions;
    private final TokenCounts counts;
    private final List<Row> waiting = new ArrayList<>();
    private @Nullable Tokenizer tokenizer;

    Measure(Model model, Optional<Integer> maxLength) {
      this.model = model;
      int limit = EmbeddingTables.of(model.graph().graph()).positions().orElse(LONGEST);
      int most = Math.min(limit, model.files().config().maxLength().orElse(limit));
      positions = Math.min(most, maxLength.orElse(LONGEST));
      counts = new TokenCounts(positions);
    }

    void add(Row row) {
      if (row.isText()) {
        waiting.add(row);
      }
      if (waiting.size() == AT_ONCE) {
        encode();
      }
    }

    private void encode() {
      if (tokenizer == null) {
        tokenizer = model.files().tokenizer(positions);
      }
      boolean pairs = waiting.get(0).textPair() != null;
      List<String> texts = waiting.stream().map(row -> "" + row.text()).toList();
      List<String> second = waiting.stream().map(row -> "" + row.textPair()).toList();
      List<Tokenizer.Tokens> all = tokenizer.encode(texts, pairs ? second : null);
      for (int i = 0; i < all.size(); i++) {
        counts.add(all.get(i).ids().length);
        if (all.get(i).cut()) {
          counts.cut(waiting.get(i));
        }
      }
      waiting.clear();
    }

    TokenCounts counts() {
      if (!waiting.isEmpty()) {
        encode();
      }
      return counts;
    }

    @Override
    public void close() {
      if (tokenizer != null) {
        tokenizer.close();
      }
    }
  }
}
