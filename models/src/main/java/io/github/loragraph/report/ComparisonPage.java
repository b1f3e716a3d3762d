package io.github.loragraph.report;

import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Several runs beside each other: their curves on one plot, a table of the configurations with mean
 * and spread over seeds, and one of the runs. Both can be sorted.
 *
 * <p>Long because what is one configuration, and what differs between them, decides each part of
 * the page, which are methods in its order.
 */
public final class ComparisonPage {
  private final String title;
  private final List<Row> rows = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();

  /** The options that differ, in the order of the configurations. */
  private final List<String> options;

  private final Map<String, List<Row>> configurations = new LinkedHashMap<>();
  private final List<String> metrics;
  private final Optional<String> score;

  /** One run, as it is shown. */
  private record Row(
      ComparedRun run,
      @Nullable RunFiles files,
      Map<String, String> options,
      String seed,
      List<String> key) {
    Map<String, Double> figures() {
      return files == null ? Map.of() : files.figures();
    }

    RunFiles.State state() {
      return files == null ? RunFiles.State.MISSING : files.state();
    }

    String status() {
      return run.status() != null ? run.status() : state().toString();
    }

    /** Whether its figures are those that it was to have; whoever gives a status knows. */
    boolean isDone() {
      return run.status() != null ? !figures().isEmpty() : state() == RunFiles.State.FINISHED;
    }

    double value(Function<RunFiles, OptionalDouble> of) {
      return files == null ? Double.NaN : of.apply(files).orElse(Double.NaN);
    }
  }

  private ComparisonPage(String title, @Nullable String figure, List<ComparedRun> runs) {
    this.title = title;
    Set<String> given = new LinkedHashSet<>();
    runs.forEach(run -> given.addAll(run.options().keySet()));
    given.removeIf(name -> !ComparedSettings.isOne(name));
    for (ComparedRun run : runs) {
      RunFiles files = read(run);
      Map<String, String> options = options(run, files, given);
      String seed =
          run.seed() != null
              ? run.seed()
              : files == null ? "" : files.options().getOrDefault("seed", "");
      rows.add(new Row(run, files, options, seed, key(run, options)));
    }
    Set<String> all = new LinkedHashSet<>();
    rows.stream()
        .filter(r -> !r.options.isEmpty())
        .forEach(row -> all.addAll(row.options.keySet()));
    this.options =
        all.stream()
            .filter(
                name ->
                    rows.stream()
                            .filter(row -> !row.options.isEmpty())
                            .map(row -> row.options.getOrDefault(name, ""))
                            .distinct()
                            .count()
                        > 1)
            .toList();
    Map<List<String>, String> names = new LinkedHashMap<>();
    for (Row row : rows) {
      String name =
          names.computeIfAbsent(
              row.key,
              key ->
                  row.run.configuration() != null
                      ? row.run.configuration()
                      : row.run.name().replaceFirst("[-_.]?seed[-_]?\\d+$", ""));
      configurations.computeIfAbsent(unique(name, row.key, names), n -> new ArrayList<>()).add(row);
    }
    Set<String> measured = new LinkedHashSet<>();
    rows.forEach(row -> measured.addAll(row.figures().keySet()));
    this.score =
        Optional.ofNullable(figure)
            .filter(measured::contains)
            .or(
                () ->
                    rows.stream()
                        .map(row -> row.files)
                        .filter(Objects::nonNull)
                        .map(RunFiles::score)
                        .flatMap(Optional::stream)
                        .findFirst());
    List<String> order = new ArrayList<>(measured);
    score.ifPresent(
        name -> {
          order.remove(name);
          order.add(0, name);
        });
    this.metrics = List.copyOf(order);
  }

  /**
   * What a run was given, by its own configuration where another was given what it was not: what it
   * did not name it was trained with nevertheless.
   */
  private static Map<String, String> options(
      ComparedRun run, @Nullable RunFiles files, Set<String> given) {
    Map<String, String> own = files == null ? Map.of() : ComparedSettings.of(files);
    if (run.options().isEmpty()) {
      return own;
    }
    Map<String, String> options = new LinkedHashMap<>();
    for (String name : given) {
      String value = run.options().getOrDefault(name, own.get(ComparedSettings.entry(name)));
      if (value != null) {
        options.put(name, value);
      }
    }
    return options;
  }

  /** Two configurations of one name are two nevertheless. */
  private static String unique(String name, List<String> key, Map<List<String>, String> names) {
    int number = 1;
    for (Map.Entry<List<String>, String> entry : names.entrySet()) {
      if (entry.getKey().equals(key)) {
        break;
      }
      number += entry.getValue().equals(name) ? 1 : 0;
    }
    return number == 1 ? name : "%s (%d)".formatted(name, number);
  }

  private static List<String> key(ComparedRun run, Map<String, String> given) {
    if (run.configuration() != null) {
      return List.of(run.configuration());
    }
    return ComparedSettings.key(given);
  }

  private @Nullable RunFiles read(ComparedRun run) {
    if (!run.isThere()) {
      return null;
    }
    try {
      RunFiles files = RunFiles.read(run.folder());
      files.remarks().forEach(line -> remarks.add(run.name() + ": " + line));
      return files;
    } catch (LoraGraphException e) {
      remarks.add(Objects.requireNonNullElse(e.getMessage(), run.name()));
      return null;
    }
  }

  /**
   * Writes a page of runs that are in their folders.
   *
   * @param html to be written; replaced where it exists
   * @throws LoraGraphException if a folder is not that of a run, or the page cannot be written
   */
  public static void write(Path html, List<Path> runs) {
    for (Path run : runs) {
      RunFiles.read(run);
    }
    write(html, title(runs.size()), null, runs.stream().map(ComparedRun::of).toList());
  }

  private static String title(int runs) {
    return Counted.of(runs, "run", "runs") + " compared";
  }

  /**
   * Writes a page of runs, those among them of which there is nothing.
   *
   * @param html to be written; replaced where it exists
   * @param title of the page
   * @param figure to judge by; null for that of the runs
   * @throws LoraGraphException if the page cannot be written
   */
  public static void write(
      Path html, String title, @Nullable String figure, List<ComparedRun> runs) {
    String page = new ComparisonPage(title, figure, runs).page(html);
    Page.write(html, true, page);
  }

  private String page(Path html) {
    Markup body = new Markup();
    body.raw("<header>").element("h1", title).raw("<p class=\"sub\">");
    Map<String, Long> states =
        rows.stream()
            .collect(Collectors.groupingBy(Row::status, LinkedHashMap::new, Collectors.counting()));
    body.text(
        "%s of %s: %s"
            .formatted(
                Counted.of(rows.size(), "run", "runs"),
                Counted.of(configurations.size(), "configuration", "configurations"),
                states.entrySet().stream()
                    .map(e -> e.getValue() + " " + e.getKey())
                    .collect(Collectors.joining(", "))));
    body.raw("</p></header>\n");
    Page.remarks(body, remarks);
    body.raw("<section><h2>Configurations</h2>\n");
    configurationsTo(body);
    body.raw("</section>\n<section><h2>Curves</h2>\n");
    chartsTo(body);
    body.raw("</section>\n<section><h2>Runs</h2>\n");
    runsTo(body, html);
    body.raw("</section>\n");
    return Page.of(title, "wide", body);
  }

  private void configurationsTo(Markup page) {
    boolean seeds = configurations.values().stream().anyMatch(group -> group.size() > 1);
    boolean statuses = rows.stream().anyMatch(row -> row.run.status() != null);
    Page.openTable(
        page,
        statuses
            ? "Mean and standard deviation (n\u22121) over the runs of each configuration; those that were left on their way have the figures of their last step"
            : seeds
                ? "Mean and standard deviation (n\u22121) over the finished runs of each configuration"
                : "The configurations, one run of each",
        "sortable");
    Page.heading(
        page,
        Page.words("configuration"),
        Page.words(options.toArray(String[]::new)),
        Page.words(statuses ? new String[] {"status"} : new String[0]),
        Page.numbers("runs"),
        Page.numbers(metrics.toArray(String[]::new)),
        Page.numbers("trainable", "samples/s", "peak MB"));
    int look = 0;
    for (Map.Entry<String, List<Row>> entry : configurations.entrySet()) {
      List<Row> all = entry.getValue();
      List<Row> done = all.stream().filter(Row::isDone).toList();
      page.raw("<tr data-look=\"" + look + "\"><th scope=\"row\">")
          .raw(Chart.sample(look++))
          .isolated(entry.getKey())
          .raw("</th>");
      for (String option : options) {
        optionTo(
            page,
            all.stream()
                .map(row -> row.options.getOrDefault(option, ""))
                .collect(Collectors.toCollection(TreeSet::new)));
      }
      if (statuses) {
        page.raw("<td>");
        all.stream().map(Row::status).distinct().forEach(status -> statusTo(page, status));
        page.raw("</td>");
      }
      Page.number(
          page,
          done.size(),
          done.size() == all.size()
              ? Integer.toString(all.size())
              : "%d of %d".formatted(done.size(), all.size()));
      for (String metric : metrics) {
        spread(
            page,
            done.stream()
                .mapToDouble(row -> row.figures().getOrDefault(metric, Double.NaN))
                .toArray(),
            false);
      }
      spread(page, values(done, RunFiles::trainable), true);
      spread(page, values(done, RunFiles::samplesPerSecond), true);
      spread(page, values(done, RunFiles::peakMegabytes), true);
      page.raw("</tr>\n");
    }
    Page.closeTable(page);
  }

  private static void statusTo(Markup page, String status) {
    page.raw("<span class=\"state ").text(status).raw("\">").text(status).raw("</span>");
  }

  private static double[] values(List<Row> rows, Function<RunFiles, OptionalDouble> of) {
    return rows.stream().mapToDouble(row -> row.value(of)).toArray();
  }

  private static void optionTo(Markup page, Set<String> values) {
    String all = String.join(", ", values);
    double number = Double.NaN;
    try {
      number = values.size() == 1 ? Double.parseDouble(all) : Double.NaN;
    } catch (NumberFormatException e) {
      // It is a word, by which the column is sorted, too.
    }
    if (!Double.isNaN(number)) {
      Page.number(page, number, Figures.option(all));
      return;
    }
    // Of a file its name and folder say which one it is.
    String shown =
        values.stream()
            .map(
                value ->
                    value.replaceFirst(
                        "^(?:/|[A-Za-z]:[/\\\\]).*[/\\\\](?=[^/\\\\]+[/\\\\][^/\\\\]+$)",
                        "\u2026/"))
            .collect(Collectors.joining(", "));
    page.raw("<td class=\"o\" title=\"").text(all).raw("\">").isolated(shown).raw("</td>");
  }

  /** The mean, and beside it how far single runs lie from it. */
  private static void spread(Markup page, double[] values, boolean amount) {
    double[] known = Arrays.stream(values).filter(v -> !Double.isNaN(v)).toArray();
    if (known.length == 0) {
      Page.number(page, Double.NaN, Figures.figure(Double.NaN));
      return;
    }
    double mean = Arrays.stream(known).sum() / known.length;
    String shown = amount ? Figures.count(mean) : Figures.figure(mean);
    double squares = Arrays.stream(known).map(v -> (v - mean) * (v - mean)).sum();
    if (known.length == 1 || amount && squares == 0) {
      Page.number(page, mean, shown);
      return;
    }
    double deviation = Math.sqrt(squares / (known.length - 1));
    page.raw("<td class=\"n\" data-v=\"" + mean + "\">")
        .text(shown)
        .raw("<span class=\"pm\"> \u00b1 ")
        .text(amount ? Figures.count(deviation) : Figures.spread(deviation, mean))
        .raw("</span></td>");
  }

  private void chartsTo(Markup page) {
    page.raw("<div class=\"charts\">\n");
    Set<String> curves = new LinkedHashSet<>();
    score.ifPresent(curves::add);
    if (metrics.contains("loss")) {
      curves.add("loss");
    }
    boolean any = false;
    for (String metric : curves) {
      any |=
          chartTo(
              page,
              new Chart("Held out: " + metric, "steps", metric),
              files -> files.log().ofEvaluations(metric));
    }
    any |=
        chartTo(
            page,
            new Chart("Training loss, smoothed", "steps", "loss"),
            files -> {
              Series loss = files.log().ofSteps("loss");
              return loss.size() < Series.FEWEST_SMOOTHED ? loss : loss.smoothed();
            });
    any |=
        chartTo(
            page,
            new Chart("Learning rate", "steps", "learning rate"),
            files -> files.log().ofSteps("learningRate"));
    page.raw("</div>\n");
    if (!any) {
      page.raw("<p class=\"note\">No run has a line of metrics yet.</p>\n");
      return;
    }
    page.raw("<ul class=\"legend all\">");
    int look = 0;
    for (Map.Entry<String, List<Row>> entry : configurations.entrySet()) {
      page.raw("<li data-look=\"" + look + "\">")
          .raw(Chart.sample(look++))
          .isolated(entry.getKey());
      if (entry.getValue().size() > 1) {
        page.raw("<span class=\"pm seeds\">")
            .text("%d runs".formatted(entry.getValue().size()))
            .raw("</span>");
      }
      page.raw("</li>");
    }
    page.raw("</ul>\n");
  }

  private boolean chartTo(Markup page, Chart chart, Function<RunFiles, Series> of) {
    int look = 0;
    int dense = 0;
    for (List<Row> group : configurations.values()) {
      for (Row row : group) {
        if (row.files != null) {
          Series series = of.apply(row.files);
          dense = Math.max(dense, series.isDense() ? series.size() : 0);
          chart.line(row.run.name(), series, look);
        }
      }
      look++;
    }
    if (chart.isEmpty()) {
      return false;
    }
    if (dense > 0) {
      chart.note(
          "Lines of more than 1,800 points (here up to %,d) are drawn by the smallest and the largest value of each of 900 equal spans."
              .formatted(dense));
    }
    chart.withoutLegend().writeTo(page);
    return true;
  }

  private void runsTo(Markup page, Path html) {
    Page.openTable(page, "All runs", "sortable");
    Page.heading(
        page,
        Page.words("run"),
        Page.words(options.toArray(String[]::new)),
        Page.words("status"),
        Page.numbers("seed"),
        Page.numbers(metrics.toArray(String[]::new)),
        Page.numbers("step", "trainable", "samples/s", "peak MB", "seconds"));
    int look = 0;
    for (List<Row> group : configurations.values()) {
      for (Row row : group) {
        page.raw("<tr data-look=\"" + look + "\"><th scope=\"row\">").raw(Chart.sample(look));
        Page.linkTo(page, html, row.run.folder().resolve(ReportPage.FILE), row.run.name());
        page.raw("</th>");
        for (String option : options) {
          optionTo(page, Set.of(row.options.getOrDefault(option, "")));
        }
        page.raw("<td>");
        statusTo(page, row.status());
        String failure = row.files == null ? "" : row.files.recorded("failure").asText("");
        if (!failure.isEmpty() && row.state() == RunFiles.State.FAILED) {
          page.raw("<div class=\"why\">").text(failure).raw("</div>");
        }
        page.raw("</td>");
        optionTo(page, Set.of(row.seed));
        for (String metric : metrics) {
          double value = row.figures().getOrDefault(metric, Double.NaN);
          Page.number(page, value, Figures.figure(value));
        }
        double step =
            row.files == null ? Double.NaN : row.files.recorded("step").asDouble(Double.NaN);
        Page.number(page, step, Figures.count(step));
        double trainable = row.value(RunFiles::trainable);
        Page.number(page, trainable, Figures.count(trainable));
        double rate = row.value(RunFiles::samplesPerSecond);
        Page.number(page, rate, Figures.amount(rate));
        double peak = row.value(RunFiles::peakMegabytes);
        Page.number(page, peak, Figures.amount(peak));
        double seconds = row.value(RunFiles::wallSeconds);
        Page.number(page, seconds, Figures.amount(seconds));
        page.raw("</tr>\n");
      }
      look++;
    }
    Page.closeTable(page);
    if (rows.size() > 1 && options.isEmpty()) {
      page.raw("<p class=\"note\">All options of the runs are the same, seeds aside.</p>\n");
    }
  }
}
