package io.github.loragraph.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Lines over one pair of axes, as SVG that takes whatever width it is given: the lines are
 * stretched, the words at the axes stand beside them in their own size.
 */
final class Chart {
  /** Units of the drawing in each direction. */
  private static final int UNITS = 10_000;

  private static final int TICKS = 5;

  /** Points that are marked one by one. */
  private static final int MOST_DOTS = 30;

  private static final int COLOURS = 7;
  private static final int DASHES = 4;

  private final String title;
  private final String xName;
  private final String yName;
  private final List<Line> lines = new ArrayList<>();
  private final List<Mark> marks = new ArrayList<>();
  private boolean fromZero;
  private boolean legend = true;
  private String note = "";

  /**
   * @param title what is shown
   * @param xName what is along the bottom, with its unit
   * @param yName what is upwards, with its unit
   */
  Chart(String title, String xName, String yName) {
    this.title = title;
    this.xName = xName;
    this.yName = yName;
  }

  private record Line(
      String name, Series series, int look, boolean faint, boolean dots, boolean inLegend) {}

  private record Mark(double x, double y, int look, String name) {}

  /**
   * Adds a line.
   *
   * @param look its colour and dashes, by a number: the same for lines that belong together
   */
  Chart line(String name, Series series, int look) {
    return add(new Line(name, series, look, false, series.size() <= MOST_DOTS, true));
  }

  /** A line that belongs to one that was added before, and has no entry of its own. */
  Chart further(String name, Series series, int look) {
    return add(new Line(name, series, look, false, series.size() <= MOST_DOTS, false));
  }

  /** A line behind others. */
  Chart faint(String name, Series series, int look) {
    return add(new Line(name, series, look, true, false, true));
  }

  private Chart add(Line line) {
    if (!line.series.isEmpty()) {
      lines.add(line);
    }
    return this;
  }

  /** Marks a point. */
  Chart mark(double x, double y, int look, String name) {
    if (Double.isFinite(x) && Double.isFinite(y)) {
      marks.add(new Mark(x, y, look, name));
    }
    return this;
  }

  /** With 0 in the picture. */
  Chart fromZero() {
    fromZero = true;
    return this;
  }

  /** Without names of lines below it, which stand elsewhere. */
  Chart withoutLegend() {
    legend = false;
    return this;
  }

  /** With a sentence below it. */
  Chart note(String sentence) {
    note = sentence;
    return this;
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  /** Class names that draw a line or its sample in a legend. */
  static String look(int number) {
    return Markup.tag("c%d d%d", number % COLOURS, number / COLOURS % DASHES);
  }

  /** A short line as a legend has it. */
  static String sample(int look) {
    return "<svg class=\"sample\" viewBox=\"0 0 28 10\" aria-hidden=\"true\" focusable=\"false\"><path class=\"line "
        + look(look)
        + "\" d=\"M1 5H27\"/></svg>";
  }

  /** Adds the chart to a page. */
  void writeTo(Markup page) {
    Axis x = xAxis();
    Axis y = yAxis();
    page.raw("<figure class=\"chart\"><figcaption>").text(title).raw("</figcaption>");
    page.raw("<div class=\"plot\" tabindex=\"0\" role=\"group\" aria-label=\"")
        .text(title + ", chart")
        .raw("\" data-x0=\"" + x.low + "\" data-x1=\"" + x.high + "\"")
        .raw(" data-y0=\"" + y.low + "\" data-y1=\"" + y.high + "\" data-x=\"")
        .text(xName)
        .raw("\">");
    page.raw("<div class=\"yname\" aria-hidden=\"true\">").text(yName).raw("</div>");
    page.raw("<div class=\"yticks\" aria-hidden=\"true\">");
    for (double tick : y.ticks) {
      page.raw("<span style=\"bottom:" + percent(y.share(tick)) + "%\">")
          .text(Figures.tick(tick, y.step))
          .raw("</span>");
    }
    page.raw("</div><div class=\"area\">");
    page.raw(
        Markup.tag(
            "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\">", UNITS, UNITS));
    page.element("title", title).element("desc", description());
    for (double tick : y.ticks) {
      page.raw(Markup.tag("<path class=\"grid\" d=\"M0 %dH%d\"/>", up(y, tick), UNITS));
    }
    for (double tick : x.ticks) {
      page.raw(Markup.tag("<path class=\"grid\" d=\"M%d 0V%d\"/>", along(x, tick), UNITS));
    }
    for (Line line : lines) {
      drawTo(page, line, x, y);
    }
    for (Mark mark : marks) {
      page.raw(
              Markup.tag(
                  "<path class=\"best %s\" d=\"M%d %dh0\"><title>",
                  look(mark.look), along(x, mark.x), up(y, mark.y)))
          .text(mark.name)
          .raw("</title></path>");
    }
    page.raw("</svg></div><div class=\"xticks\" aria-hidden=\"true\">");
    for (double tick : x.ticks) {
      page.raw("<span style=\"left:" + percent(x.share(tick)) + "%\">")
          .text(Figures.tick(tick, x.step))
          .raw("</span>");
    }
    page.raw("</div><div class=\"xname\" aria-hidden=\"true\">").text(xName).raw("</div></div>");
    if (legend) {
      legendTo(page);
    }
    if (!note.isEmpty()) {
      page.raw("<p class=\"note\">").text(note).raw("</p>");
    }
    page.raw("</figure>");
  }

  private void drawTo(Markup page, Line line, Axis x, Axis y) {
    StringBuilder path = new StringBuilder();
    Series series = line.series.thinned();
    boolean begins = true;
    for (int i = 0; i < series.size(); i++) {
      if (!Double.isFinite(series.ys()[i])) {
        begins = true;
        continue;
      }
      path.append(begins ? 'M' : 'L')
          .append(along(x, series.xs()[i]))
          .append(' ')
          .append(up(y, series.ys()[i]));
      begins = false;
    }
    page.raw(
            Markup.tag(
                "<path class=\"line %s%s\" data-look=\"%d\" data-name=\"",
                look(line.look), line.faint ? " faint" : "", line.look))
        .text(line.name)
        .raw("\" d=\"" + path + "\"/>");
    if (line.dots) {
      // A round cap on a line of no length stays round where the drawing is stretched.
      page.raw(
          Markup.tag(
              "<path class=\"dots %s\" data-look=\"%d\" d=\"%s\"/>",
              look(line.look), line.look, path.toString().replaceAll("[ML](\\d+ \\d+)", "M$1h0")));
    }
  }

  private void legendTo(Markup page) {
    if (lines.size() < 2 && marks.isEmpty()) {
      return;
    }
    page.raw("<ul class=\"legend\">");
    for (Line line : lines) {
      if (line.inLegend) {
        page.raw("<li>")
            .raw(
                line.faint
                    ? sample(line.look).replace("class=\"line", "class=\"faint line")
                    : sample(line.look))
            .isolated(line.name)
            .raw("</li>");
      }
    }
    for (Mark mark : marks) {
      page.raw(
              Markup.tag(
                  "<li><svg class=\"sample\" viewBox=\"0 0 28 10\" aria-hidden=\"true\" focusable=\"false\"><path class=\"best %s\" d=\"M14 5h0\"/></svg>",
                  look(mark.look)))
          .isolated(mark.name)
          .raw("</li>");
    }
    page.raw("</ul>");
  }

  /** What one who does not see the picture is told. */
  private String description() {
    StringBuilder words = new StringBuilder();
    words.append("%s over %s.".formatted(yName, xName));
    int told = 0;
    for (Line line : lines) {
      if (++told > 6) {
        words.append(" And further lines.");
        break;
      }
      double first = Double.NaN;
      double last = Double.NaN;
      double low = Double.POSITIVE_INFINITY;
      double high = Double.NEGATIVE_INFINITY;
      for (double value : line.series.ys()) {
        if (Double.isFinite(value)) {
          first = Double.isNaN(first) ? value : first;
          last = value;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
      words.append(
          " %s: from %s to %s, lowest %s, highest %s."
              .formatted(
                  line.name,
                  Figures.figure(first),
                  Figures.figure(last),
                  Figures.figure(low),
                  Figures.figure(high)));
    }
    marks.forEach(mark -> words.append(' ').append(mark.name).append('.'));
    return words.toString();
  }

  /** The next number from a size upwards that is 1, 2, 2.5 or 5, with zeros. */
  static double niceStep(double rough) {
    double size = Math.pow(10, Math.floor(Math.log10(rough)));
    for (double nice : new double[] {1, 2, 2.5, 5}) {
      if (nice * size >= rough * (1 - 1e-9)) {
        return nice * size;
      }
    }
    return 10 * size;
  }

  private static int along(Axis axis, double value) {
    return (int) Math.round(axis.share(value) * UNITS);
  }

  private static int up(Axis axis, double value) {
    return UNITS - along(axis, value);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.2f", 100 * share);
  }

  private Axis xAxis() {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (Line line : lines) {
      for (double x : line.series.xs()) {
        low = Math.min(low, x);
        high = Math.max(high, x);
      }
    }
    // What was measured once, at the end, stands at the end.
    double begin = low < high ? low : Math.min(0, high - 1);
    return Axis.of(begin, high, 1);
  }

  private Axis yAxis() {
    double low = fromZero ? 0 : Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (Line line : lines) {
      for (double value : line.series.ys()) {
        if (Double.isFinite(value)) {
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
    if (high - low <= Math.abs(high) * 1e-9) {
      double room = high == 0 ? 1 : Math.abs(high) * 0.1;
      return Axis.of(
          fromZero && high >= 0 ? 0 : low - room,
          high <= 1 ? Math.min(1, high + room) : high + room,
          0);
    }
    double room = (high - low) * 0.05;
    // Shares do not go beyond 1, and losses not below 0.
    double top = high <= 1 && high + room > 1 ? 1 : high + room;
    double bottom = low >= 0 && low - room < 0 ? 0 : low - room;
    return Axis.of(fromZero && low == 0 ? 0 : bottom, top, 0);
  }

  /** A stretch of numbers, with those that are written beside it. */
  private record Axis(double low, double high, double step, List<Double> ticks) {
    static Axis of(double low, double high, double leastStep) {
      double rough = Math.max((high - low) / TICKS, leastStep);
      double step = niceStep(rough);
      // Steps are whole.
      step = leastStep == 0 ? step : Math.ceil(step);
      List<Double> ticks = new ArrayList<>();
      for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
        ticks.add(i * step);
      }
      return new Axis(low, high, step, ticks);
    }

    double share(double value) {
      return (value - low) / (high - low);
    }
  }
}
