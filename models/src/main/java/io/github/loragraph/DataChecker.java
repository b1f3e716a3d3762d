package io.github.loragraph;

import io.github.loragraph.data.EmbeddingTables;
import io.github.loragraph.data.LineEnds;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.error.LoraGraphException;
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
  private final Map<String, Long> odd = new TreeMap<>();
  private final TextNumbers texts = new TextNumbers();
  private final TextNumbers heldOut = new TextNumbers();
  private long rows;
  private long unlabelled;
  private long empty;
  private long duplicates;
  private long contradictions;
  private long leaked;
  private @Nullable LoraGraphException refusal;

  DataChecker(Consumer<String> notices) {
    this.notices = notices;
  }

  DataCheck check(
      Dataset data, @Nullable Dataset held, @Nullable Model model, InferenceArguments arguments) {
    tellFiles(data);
    if (held != null) {
      tellFiles(held);
    }
    @Nullable Task task = arguments.task().map(io.github.loragraph.Task::internal).orElse(null);
    @Nullable TokenCounts counts = null;
    try (ModelData encoding = model == null ? null : open(model, arguments)) {
      task = encoding == null ? task : encoding.task();
      if (encoding != null) {
        counts = new TokenCounts(encoding.maxLength());
      }
      if (task != null) {
        read(task, encoding, data, held, counts);
      }
    }
    if (counts == null || counts.isEmpty() || refusal != null) {
      counts = null;
    }
    Task seen = task == null ? Tasks.CLASSIFICATION : task;
    if (held != null) {
      each(held, seen, row -> heldOut.add(number(row), 0), text -> {});
    }
    try (Measure measure =
        model == null || counts != null ? null : new Measure(model, arguments.maxLength())) {
      each(
          data,
          seen,
          row -> take(row, seen.isLabelled() && seen != Tasks.EMBEDDING),
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
        unlabelled,
        empty,
        duplicates,
        contradictions,
        leaked,
        Map.copyOf(odd),
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
   * The model as a training has it; null where it answers nothing that labels are for: its tokens
   * are counted all the same.
   */
  private @Nullable ModelData open(Model model, InferenceArguments arguments) {
    ShapeInference shapes = new SessionShapeInference(RuntimeBuild.any());
    if (arguments.task().isEmpty() && model.trainedTask().isEmpty()) {
      try {
        Answer.of(model.graph(), null, model.files().config().problemType(), shapes);
      } catch (LoraGraphException e) {
        notices.accept("labels are not compared with those of the model: " + e.getMessage());
        return null;
      }
    }
    return Training.open(model, arguments, notices, shapes);
  }

  private void read(
      Task task,
      @Nullable ModelData encoding,
      Dataset data,
      @Nullable Dataset held,
      @Nullable TokenCounts counts) {
    TrainingReading reading = new TrainingReading(task, encoding, notices);
    try {
      reading.read(data, false, length -> Objects.requireNonNull(counts).add(length));
      if (counts != null) {
        counts.cut(reading.cut());
      }
      if (held != null) {
        reading.read(held, true, length -> {});
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

  private void take(Row row, boolean labelled) {
    rows++;
    String label = row.label();
    if (label == null || label.isEmpty()) {
      unlabelled += labelled ? 1 : 0;
    } else if (labels.size() < COUNTED || labels.containsKey(label)) {
      labels.merge(label, 1L, Long::sum);
    }
    if (!row.isText()) {
      return;
    }
    String text = row.text() + (row.textPair() == null ? "" : "\t" + row.textPair());
    if (text.isBlank()) {
      empty++;
      return;
    }
    tellOdd(text);
    long number = number(row);
    int before = texts.add(number, label == null ? 0 : label.hashCode());
    if (before != TextNumbers.NEW) {
      duplicates++;
      contradictions += before == TextNumbers.OTHER ? 1 : 0;
    }
    leaked += heldOut.contains(number) ? 1 : 0;
  }

  private void tellOdd(String text) {
    boolean plain = true;
    for (int i = 0; i < text.length() && plain; i++) {
      char c = text.charAt(i);
      plain = c < 0x7f && (c >= ' ' || c == '\t');
    }
    if (plain) {
      return;
    }
    count(text.indexOf('\ufffd') >= 0, "replacement characters");
    count(MOJIBAKE.matcher(text).find(), "UTF-8 that was read as Latin-1");
    count(CONTROL.matcher(text).find(), "control characters");
    count(ZERO_WIDTH.matcher(text).find(), "characters without width");
  }

  private void count(boolean is, String what) {
    if (is) {
      odd.merge(what, 1L, Long::sum);
    }
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
    private long cut;

    TokenCounts(int positions) {
      counts = new long[positions + 1];
    }

    boolean isEmpty() {
      return Arrays.stream(counts).allMatch(count -> count == 0);
    }

    void add(int length) {
      counts[Math.min(length, counts.length - 1)]++;
    }

    void cut(long texts) {
      cut += texts;
    }

    DataCheck.Lengths lengths() {
      long all = Arrays.stream(counts).sum();
      return new DataCheck.Lengths(at((all + 1) / 2), at(all - all / 20), counts.length - 1, cut);
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
      for (Tokenizer.Tokens tokens : tokenizer.encode(texts, pairs ? second : null)) {
        counts.add(tokens.ids().length);
        counts.cut(tokens.cut() ? 1 : 0);
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
