package io.github.loragraph;

import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.EmbeddingTables;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Goes once over data of any size; of a row no more is held than a number that tells its text. */
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

  DataChecker(Consumer<String> notices) {
    this.notices = notices;
  }

  DataCheck check(
      Dataset data, NamedColumns columns, @Nullable Dataset held, @Nullable Model model) {
    if (held != null) {
      each(held, columns, row -> heldOut.add(number(row), 0));
    }
    try (Measure measure = model == null ? null : new Measure(model)) {
      each(
          data,
          columns,
          row -> {
            take(row);
            if (measure != null) {
              measure.add(row);
            }
          });
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
          measure == null ? null : measure.lengths());
    }
  }

  private void each(Dataset data, NamedColumns columns, Consumer<Row> taker) {
    for (Path file : data.files()) {
      new DataFile(file, columns.withLabels(), notices).each((row, fields) -> taker.accept(row));
    }
  }

  private void take(Row row) {
    rows++;
    String label = row.label();
    if (label == null || label.isEmpty()) {
      unlabelled++;
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

  /** Lengths in the tokens of a model. */
  private static final class Measure implements AutoCloseable {
    private final Tokenizer tokenizer;
    private final int positions;
    private final long[] counts;
    private final List<Row> waiting = new ArrayList<>();
    private long cut;

    Measure(Model model) {
      int limit = EmbeddingTables.of(model.graph().graph()).positions().orElse(LONGEST);
      positions =
          Math.min(LONGEST, Math.min(limit, model.files().config().maxLength().orElse(limit)));
      tokenizer = model.files().tokenizer(positions);
      counts = new long[positions + 1];
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
      boolean pairs = !waiting.isEmpty() && waiting.get(0).textPair() != null;
      List<String> texts = waiting.stream().map(row -> "" + row.text()).toList();
      List<String> second = waiting.stream().map(row -> "" + row.textPair()).toList();
      for (Tokenizer.Tokens tokens : tokenizer.encode(texts, pairs ? second : null)) {
        counts[tokens.ids().length]++;
        cut += tokens.cut() ? 1 : 0;
      }
      waiting.clear();
    }

    DataCheck.Lengths lengths() {
      encode();
      long all = Arrays.stream(counts).sum();
      return new DataCheck.Lengths(at(all / 2), at(all - all / 20), positions, cut);
    }

    private int at(long texts) {
      long sum = 0;
      int length = 0;
      for (; length < counts.length - 1 && sum + counts[length] < texts; length++) {
        sum += counts[length];
      }
      return length;
    }

    @Override
    public void close() {
      tokenizer.close();
    }
  }
}
