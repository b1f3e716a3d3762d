package io.github.loragraph.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What one run has become, or is becoming: its curves, what was measured, where it is wrong, what
 * it was made of.
 *
 * <p>Long because each part of the page is a method here, in the order of the page.
 */
public final class ReportPage {
  /** Its name in a run folder. */
  public static final String FILE = "report.html";

  /** Rows of a table: a page of more is not read, and grows too large to open. */
  private static final int MOST_ROWS = 1000;

  private final RunFiles run;
  private final Path html;
  private final Markup page = new Markup();

  private ReportPage(RunFiles run, Path html) {
    this.run = run;
    this.html = html;
  }

  /**
   * Writes the page of a run, from the files of its folder alone: a process may be training in it.
   *
   * @param html to be written; replaced where it exists
   * @throws LoraGraphException if the folder is not that of a run, or the page cannot be written
   */
  public static void write(Path run, Path html) {
    Page.write(html, true, new ReportPage(RunFiles.read(run), html).page());
  }

  private String page() {
    header();
    Page.remarks(page, run.remarks());
    curves();
    evaluation();
    confusion();
    mistakes();
    lengths();
    parameters();
    configuration();
    machine();
    page.raw("<footer><p class=\"note\">")
        .text(
            "Written %s from the files of %s."
                .formatted(
                    Instant.now().truncatedTo(ChronoUnit.SECONDS), run.folder().toAbsolutePath()))
        .raw("</p></footer>\n");
    return Page.of(run.name() + ": report", "report", page);
  }

  private void open(String heading) {
    page.raw("<section>").element("h2", heading).raw("\n");
  }

  private void close() {
    page.raw("</section>\n");
  }

  private void header() {
    page.raw("<header><h1>")
        .isolated(run.name())
        .raw(" <span class=\"state " + run.state() + "\">" + run.state() + "</span></h1>");
    List<String> words = new ArrayList<>();
    option("task", words, "%s");
    option("method", words, "method %s");
    String model = run.options().getOrDefault("model", "");
    if (!model.isEmpty()) {
      words.add("of " + model);
    }
    page.raw("<p class=\"sub\">").text(String.join(", ", words)).raw("</p>");
    continued();
    String failure = run.recorded("failure").asText("");
    if (!failure.isEmpty() && run.state() == RunFiles.State.FAILED) {
      page.raw("<p class=\"remark\">").text(failure).raw("</p>");
    }
    if (run.state() == RunFiles.State.KILLED) {
      page.raw("<p class=\"remark\">")
          .text("Its process ended without a word: what is shown is what it had written by then.")
          .raw("</p>");
    }
    if (keptBase()) {
      page.raw("<p class=\"remark\">")
          .text(
              "The training made the model no better on the held-out data: the run left the model as it was, of which the figures are. The curves are those of the parameters that were thrown away.")
          .raw("</p>");
    }
    page.raw("</header>\n<dl class=\"tiles\">");
    Map<String, Double> figures = run.figures();
    run.score()
        .filter(figures::containsKey)
        .ifPresent(
            score ->
                tile(
                    "held out: " + score,
                    Figures.figure(Objects.requireNonNull(figures.get(score))),
                    base(score)));
    if (figures.containsKey("loss")) {
      tile("held out: loss", Figures.figure(figures.get("loss")), base("loss"));
    }
    best();
    Series loss = run.log().ofSteps("loss");
    if (loss.size() > 0) {
      tile("training loss, last", Figures.figure(loss.ys()[loss.size() - 1]), "");
    }
    double step = run.recorded("step").asDouble(lastStep());
    if (!Double.isNaN(step)) {
      double all = run.recorded("totalSteps").asDouble(0);
      long before = run.continuesAfter().orElse(0);
      tile(
          "steps",
          Figures.count(step),
          all > step
              ? "of " + Figures.count(all)
              : before > 0 ? "%,.0f of them in this run".formatted(step - before) : "");
    }
    run.trainable()
        .ifPresent(
            trainable -> {
              double total = run.recorded("parameters").path("total").asDouble(Double.NaN);
              tile(
                  "trainable parameters",
                  Figures.count(trainable),
                  total > 0
                      ? String.format(
                          Locale.ROOT, "%.3g%% of %,.0f", 100 * trainable / total, total)
                      : "");
            });
    run.samplesPerSecond().ifPresent(v -> tile("samples/s", Figures.amount(v), ""));
    run.wallSeconds()
        .ifPresent(
            v -> {
              int parts = run.recorded("parts").asInt(1);
              List<String> beside = new ArrayList<>();
              if (parts > 1) {
                beside.add("in %d parts".formatted(parts));
              }
              if (run.former().isPresent()) {
                beside.add(
                    run.continuesAfter().isPresent() && run.wallSecondsOfAll().isPresent()
                        ? "with the runs before "
                            + Figures.time(run.wallSecondsOfAll().getAsDouble())
                        : "of this run alone");
              }
              tile("time", Figures.time(v), String.join(", ", beside));
            });
    run.peakMegabytes().ifPresent(v -> tile("peak memory", Figures.amount(v) + " MB", ""));
    page.raw("</dl>\n");
  }

  /** Where another run is continued: which one, and what of this page is of this run alone. */
  private void continued() {
    if (run.former().isEmpty()) {
      return;
    }
    Path former = run.former().get();
    page.raw("<p class=\"sub\">Continues ");
    Page.linkTo(page, html, former.resolve(FILE), String.valueOf(former.getFileName()));
    if (!Files.exists(former)) {
      page.text(" (%s, which is not there any more)".formatted(former));
    }
    run.continuesAfter()
        .ifPresent(
            step ->
                page.text(
                    step == 0
                        ? ", with its steps counted anew"
                        : " after its step %,d".formatted(step)));
    page.text(". Curves, samples/s and memory are of this run alone.").raw("</p>");
  }

  private boolean keptBase() {
    return run.recorded("keptBase").asBoolean(false);
  }

  private void option(String name, List<String> words, String form) {
    String value = run.options().getOrDefault(name, "");
    if (!value.isEmpty()) {
      words.add(form.formatted(value));
    }
  }

  private String base(String figure) {
    double before = run.figuresBefore().getOrDefault(figure, Double.NaN);
    return Double.isNaN(before) ? "" : "before: " + Figures.figure(before);
  }

  private void best() {
    JsonNode best = run.recorded("best");
    if (best.path("step").isNumber() && run.log().evaluations().size() > 1) {
      tile(
          "best step",
          Figures.count(best.path("step").asDouble()),
          best.path("value").isNumber()
              ? "%s %s"
                  .formatted(
                      best.path("metric").asText(), Figures.figure(best.path("value").asDouble()))
              : best.path("metric").asText());
    }
  }

  private double lastStep() {
    Series loss = run.log().ofSteps("loss");
    return loss.size() == 0 ? Double.NaN : loss.xs()[loss.size() - 1];
  }

  private void tile(String name, String value, String beside) {
    page.raw("<div>").element("dt", name).raw("<dd>").text(value);
    if (!beside.isEmpty()) {
      page.raw(" <small>").text(beside).raw("</small>");
    }
    page.raw("</dd></div>");
  }

  private void curves() {
    open("Curves");
    if (run.former().isPresent()) {
      String from =
          run.continuesAfter().isPresent()
              ? ", from step %,d on".formatted(run.continuesAfter().getAsLong() + 1)
              : "";
      page.raw("<p class=\"note\">")
          .text(
              "Those of this run alone%s; what was before is on the page of the run that it continues."
                  .formatted(from))
          .raw("</p>\n");
    }
    page.raw("<div class=\"charts\">\n");
    Series loss = run.log().ofSteps("loss");
    Chart losses = new Chart("Loss", "steps", "loss");
    String dense =
        loss.isDense()
            ? "The %,d lines of the log are drawn by the smallest and the largest value of each of 900 equal spans. "
                .formatted(loss.size())
            : "";
    if (loss.size() < Series.FEWEST_SMOOTHED) {
      losses.line("training", loss, 0);
    } else {
      losses.faint("training, as logged", loss, 0).line("training, smoothed", loss.smoothed(), 0);
    }
    losses.line("held out", run.log().ofEvaluations("loss"), 1);
    losses.note(
        dense
            + (loss.size() < Series.FEWEST_SMOOTHED
                ? ""
                : "Smoothed: exponential moving average over about %,d lines."
                    .formatted(loss.window())));
    boolean any = write(losses);
    for (String metric : shownMetrics()) {
      Series series = run.log().ofEvaluations(metric);
      if (series.size() < 2) {
        // One point is no curve: its figure is in the table.
        continue;
      }
      Chart chart = new Chart("Held out: " + metric, "steps", metric).line(metric, series, 1);
      markBest(chart, metric, series);
      any |= write(chart);
    }
    any |=
        write(
            new Chart("Learning rate", "steps", "learning rate")
                .line("learning rate", run.log().ofSteps("learningRate"), 2)
                .fromZero());
    Series norm = run.log().ofSteps("gradientNorm");
    Chart norms = new Chart("Gradient norm, before clipping", "steps", "norm").note(dense.strip());
    if (norm.size() < Series.FEWEST_SMOOTHED) {
      norms.line("gradient norm", norm, 3);
    } else {
      norms.faint("as logged", norm, 3).line("smoothed", norm.smoothed(), 3);
    }
    any |= write(norms);
    page.raw("</div>\n");
    if (!any) {
      page.raw("<p class=\"note\">The run has no line of metrics yet.</p>\n");
    }
    evaluations();
    close();
  }

  private boolean write(Chart chart) {
    if (chart.isEmpty()) {
      return false;
    }
    chart.writeTo(page);
    return true;
  }

  /**
   * The figure to judge by first, then others than the loss, which is shown with the training's.
   */
  private List<String> shownMetrics() {
    List<String> names = new ArrayList<>(run.log().measured());
    names.remove("loss");
    run.score()
        .filter(names::contains)
        .ifPresent(
            score -> {
              names.remove(score);
              names.add(0, score);
            });
    return names.subList(0, Math.min(3, names.size()));
  }

  private void markBest(Chart chart, String metric, Series series) {
    JsonNode best = run.recorded("best");
    if (best.path("metric").asText().equals(metric) && best.path("step").isNumber()) {
      double step = best.path("step").asDouble();
      for (int i = 0; i < series.size(); i++) {
        if (series.xs()[i] == step) {
          chart.mark(step, series.ys()[i], 0, "best: step " + Figures.count(step));
          return;
        }
      }
    }
    if (!keptBase()
        && !best.path("step").isNumber()
        && run.score().filter(metric::equals).isPresent()) {
      int highest = -1;
      for (int i = 0; i < series.size(); i++) {
        double y = series.ys()[i];
        if (Double.isFinite(y) && (highest < 0 || y > series.ys()[highest])) {
          highest = i;
        }
      }
      if (highest >= 0 && series.size() > 1) {
        chart.mark(
            series.xs()[highest],
            series.ys()[highest],
            0,
            "highest: step " + Figures.count(series.xs()[highest]));
      }
    }
  }

  /** The numbers of the curves, for who does not see them. */
  private void evaluations() {
    List<MetricsLog.Evaluation> all = run.log().evaluations();
    if (all.isEmpty()) {
      return;
    }
    Set<String> names = run.log().measured();
    page.raw("<details><summary>")
        .text("All evaluations as numbers (%,d)".formatted(all.size()))
        .raw("</summary>\n");
    Page.openTable(page, "Evaluations on held-out data", "sortable");
    Page.heading(page, Page.numbers("step"), Page.numbers(names.toArray(String[]::new)));
    int from = Math.max(0, all.size() - MOST_ROWS);
    for (MetricsLog.Evaluation evaluation : all.subList(from, all.size())) {
      page.raw("<tr>");
      Page.number(page, evaluation.step(), Figures.count(evaluation.step()));
      for (String name : names) {
        double value = evaluation.figures().getOrDefault(name, Double.NaN);
        Page.number(page, value, Figures.figure(value));
      }
      page.raw("</tr>\n");
    }
    Page.closeTable(page);
    if (from > 0) {
      page.raw("<p class=\"note\">")
          .text("The first %,d are left out.".formatted(from))
          .raw("</p>\n");
    }
    page.raw("</details>\n");
  }

  private void evaluation() {
    Map<String, Double> figures = run.figures();
    JsonNode classes = run.recorded("classes");
    if (figures.isEmpty()) {
      return;
    }
    open("Last evaluation");
    JsonNode step = run.recorded("evaluatedStep");
    if (step.isNumber()) {
      page.raw("<p class=\"note\">")
          .text(
              keptBase()
                  ? "On held-out data, before the first step."
                  : "On held-out data, after step %s.".formatted(Figures.count(step.asDouble())))
          .raw("</p>\n");
    }
    Map<String, Double> base = run.figuresBefore();
    if (run.former().isPresent()) {
      page.raw("<p class=\"note\">")
          .text(
              base.isEmpty()
                  ? "Of the run that it continues no figures on these data are known."
                  : "Before: what the run that it continues ended with.")
          .raw("</p>\n");
    }
    Page.openTable(page, "Figures on held-out data", "");
    Page.heading(
        page,
        Page.words("figure"),
        base.isEmpty() ? Page.numbers("value") : Page.numbers("before", "value"));
    figures.forEach(
        (name, value) -> {
          page.raw("<tr><th scope=\"row\">").text(name).raw("</th>");
          if (!base.isEmpty()) {
            double before = base.getOrDefault(name, Double.NaN);
            Page.number(page, before, Figures.figure(before));
          }
          Page.number(page, value, Figures.figure(value));
          page.raw("</tr>\n");
        });
    Page.closeTable(page);
    Map<String, Double> thresholds = run.thresholds();
    if (classes.size() > 0) {
      Page.openTable(
          page,
          thresholds.isEmpty()
              ? "Figures of each class"
              : "Figures of each class, which is answered from its threshold on",
          "sortable");
      Page.heading(
          page,
          Page.words("class"),
          thresholds.isEmpty() ? Stream.empty() : Page.numbers("threshold"),
          Page.numbers("precision", "recall", "F1", "examples"));
      for (JsonNode figure : classes) {
        page.raw("<tr><th scope=\"row\">").isolated(figure.path("name").asText()).raw("</th>");
        if (!thresholds.isEmpty()) {
          thresholdTo(thresholds.getOrDefault(figure.path("name").asText(), Double.NaN));
        }
        for (String name : List.of("precision", "recall", "f1")) {
          double value = figure.path(name).asDouble(Double.NaN);
          Page.number(page, value, Figures.figure(value));
        }
        double support = figure.path("support").asDouble(Double.NaN);
        Page.number(page, support, Figures.count(support));
        page.raw("</tr>\n");
      }
      Page.closeTable(page);
    } else if (!thresholds.isEmpty()) {
      Page.openTable(page, "From which probability on each class is answered", "sortable");
      Page.heading(page, Page.words("class"), Page.numbers("threshold"));
      thresholds.entrySet().stream()
          .limit(MOST_ROWS)
          .forEach(
              entry -> {
                page.raw("<tr><th scope=\"row\">").isolated(entry.getKey()).raw("</th>");
                thresholdTo(entry.getValue());
                page.raw("</tr>\n");
              });
      Page.closeTable(page);
      if (thresholds.size() > MOST_ROWS) {
        page.raw("<p class=\"note\">")
            .text("The first %,d of %,d.".formatted(MOST_ROWS, thresholds.size()))
            .raw("</p>\n");
      }
    }
    close();
  }

  private void thresholdTo(double threshold) {
    Page.number(page, threshold, Figures.figure(threshold));
  }

  private void confusion() {
    JsonNode confusion = run.recorded("confusion");
    JsonNode classes = run.recorded("classes");
    JsonNode confused = run.recorded("confused");
    if (confusion.size() > 0 && confusion.size() == classes.size()) {
      open("Confusion matrix");
      page.raw(
          "<p class=\"note\">Rows are labels, columns are answers; the stronger the colour of a cell, the larger its share of the row.</p>\n");
      Page.openTable(page, "Labels (rows) and answers (columns)", "confusion");
      page.raw("<thead><tr><th scope=\"col\">label \\ answer</th>");
      for (JsonNode column : classes) {
        page.raw("<th scope=\"col\">").isolated(column.path("name").asText()).raw("</th>");
      }
      page.raw("</tr></thead><tbody>\n");
      for (int label = 0; label < confusion.size(); label++) {
        page.raw("<tr><th scope=\"row\">")
            .isolated(classes.get(label).path("name").asText())
            .raw("</th>");
        double sum = 0;
        for (JsonNode count : confusion.get(label)) {
          sum += count.asDouble();
        }
        for (int answer = 0; answer < confusion.get(label).size(); answer++) {
          cell(confusion.get(label).get(answer).asDouble(), sum, label == answer);
        }
        page.raw("</tr>\n");
      }
      Page.closeTable(page);
      close();
    } else if (confused.size() > 0) {
      open("Classes taken for each other");
      Page.openTable(page, "The most frequent confusions", "sortable");
      Page.heading(page, Page.words("label", "answer"), Page.numbers("examples"));
      for (JsonNode pair : confused) {
        page.raw("<tr><td>").isolated(pair.path("label").asText()).raw("</td><td>");
        page.isolated(pair.path("answer").asText()).raw("</td>");
        double count = pair.path("count").asDouble();
        Page.number(page, count, Figures.count(count));
        page.raw("</tr>\n");
      }
      Page.closeTable(page);
      close();
    }
  }

  /** Shade says the share; the diagonal has another colour, and a frame for who sees none. */
  private void cell(double count, double sum, boolean right) {
    double share = sum == 0 ? 0 : count / sum;
    page.raw("<td class=\"" + (right ? "right" : "wrong") + "\"");
    if (share > 0) {
      page.raw(
          " style=\"background-color:rgba(%s,%s)\""
              .formatted(
                  right ? "0,114,178" : "213,94,0",
                  String.format(Locale.ROOT, "%.2f", 0.08 + 0.62 * share)));
    }
    page.raw(">").text(count == 0 ? "\u00b7" : Figures.count(count)).raw("</td>");
  }

  private void mistakes() {
    JsonNode mistakes = run.recorded("mistakes");
    if (!mistakes.isArray() || mistakes.isEmpty()) {
      return;
    }
    open("Worst mistakes");
    double all = run.recorded("mistakeCount").asDouble(mistakes.size());
    page.raw("<p class=\"note\">")
        .text(
            all > mistakes.size()
                ? "The %,d with the largest loss, of %s."
                    .formatted(mistakes.size(), Figures.count(all))
                : "All %,d, the largest loss first.".formatted(mistakes.size()))
        .raw("</p>\n");
    boolean texts = false;
    for (JsonNode mistake : mistakes) {
      texts |= mistake.has("text");
    }
    Page.openTable(page, "Held-out examples whose answer is not their label", "sortable texts");
    Page.heading(
        page,
        Page.numbers("loss"),
        texts
            ? Page.words("label", "answer", "row", "text")
            : Page.words("label", "answer", "row"));
    for (JsonNode mistake : mistakes) {
      page.raw("<tr>");
      double loss = mistake.path("loss").asDouble(Double.NaN);
      Page.number(page, loss, Figures.figure(loss));
      for (String name : List.of("label", "answer")) {
        page.raw("<td>").isolated(mistake.path(name).asText()).raw("</td>");
      }
      page.raw("<td class=\"place\">").isolated(mistake.path("place").asText()).raw("</td>");
      if (texts) {
        page.raw("<td class=\"text\">");
        if (mistake.has("before") || mistake.has("after")) {
          page.raw("<bdi>")
              .text(mistake.path("before").asText() + " ")
              .raw("<strong>")
              .text(mistake.path("text").asText())
              .raw("</strong>")
              .text(" " + mistake.path("after").asText())
              .raw("</bdi>");
        } else {
          page.isolated(mistake.path("text").asText());
        }
        if (mistake.has("textPair")) {
          page.raw("<hr/>").isolated(mistake.path("textPair").asText());
        }
        page.raw("</td>");
      }
      page.raw("</tr>\n");
    }
    Page.closeTable(page);
    close();
  }

  private void lengths() {
    JsonNode data = run.recorded("data");
    JsonNode training = data.path("lengths");
    if (!training.path("counts").isArray()) {
      return;
    }
    open("Lengths");
    Histogram.writeTo(page, training, data.path("lengthsEval"));
    List<String> lines = new ArrayList<>();
    double most = data.path("maxLength").asDouble(Double.NaN);
    lines.add(
        "%s examples to train on%s, %s held out%s."
            .formatted(
                Figures.count(data.path("examples").asDouble()),
                texts(data.path("texts")),
                Figures.count(data.path("heldOut").asDouble(0)),
                texts(data.path("textsEval"))));
    double cut = data.path("truncated").asDouble(0);
    double cutEval = data.path("truncatedEval").asDouble(0);
    lines.add(
        cut + cutEval == 0
            ? "No text was cut at %s tokens.".formatted(Figures.count(most))
            : "Cut at %s tokens: %s texts to train on, %s held out."
                .formatted(Figures.count(most), Figures.count(cut), Figures.count(cutEval)));
    if (data.path("paddingShare").isNumber()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%.1f%% of the tokens of a batch are padding.",
              100 * data.path("paddingShare").asDouble()));
    }
    page.raw("<p>").text(String.join(" ", lines)).raw("</p>\n");
    close();
  }

  /** Of how many texts examples are, where that is another number. */
  private static String texts(JsonNode count) {
    return count.isNumber() ? " (%s texts)".formatted(Figures.count(count.asDouble())) : "";
  }

  private void parameters() {
    JsonNode tensors = run.recorded("parameters").path("tensors");
    if (tensors.isEmpty()) {
      return;
    }
    open("Trained parameters");
    Page.openTable(page, "%,d tensors".formatted(tensors.size()), "sortable");
    Page.heading(page, Page.words("name", "shape"), Page.numbers("numbers"));
    int shown = 0;
    for (JsonNode tensor : tensors) {
      if (shown++ == MOST_ROWS) {
        break;
      }
      List<String> dims = new ArrayList<>();
      tensor.path("shape").forEach(dim -> dims.add(dim.asText()));
      page.raw("<tr><th scope=\"row\" class=\"name\">")
          .isolated(tensor.path("name").asText())
          .raw("</th><td>")
          .text(dims.isEmpty() ? "scalar" : String.join(" \u00d7 ", dims))
          .raw("</td>");
      double count = tensor.path("count").asDouble();
      Page.number(page, count, Figures.count(count));
      page.raw("</tr>\n");
    }
    Page.closeTable(page);
    if (tensors.size() > MOST_ROWS) {
      page.raw("<p class=\"note\">")
          .text("And %,d more.".formatted(tensors.size() - MOST_ROWS))
          .raw("</p>\n");
    }
    close();
  }

  private void configuration() {
    open("Configuration");
    pairs("Everything that decided the run (config.yaml)", run.options());
    close();
  }

  private void machine() {
    Map<String, String> facts = new LinkedHashMap<>();
    run.recorded("machine")
        .properties()
        .forEach(entry -> facts.put(entry.getKey(), entry.getValue().asText()));
    String started = run.recorded("startedAt").asText("");
    if (!started.isEmpty()) {
      facts.put("startedAt", started);
    }
    if (!facts.isEmpty()) {
      open("Machine");
      pairs("What it ran on", facts);
      close();
    }
  }

  private void pairs(String caption, Map<String, String> entries) {
    Page.openTable(page, caption, "pairs");
    page.raw("<tbody>\n");
    entries.forEach(
        (name, value) ->
            page.raw("<tr><th scope=\"row\">")
                .text(name)
                .raw("</th><td>")
                .isolated(value)
                .raw("</td></tr>\n"));
    Page.closeTable(page);
  }
}
