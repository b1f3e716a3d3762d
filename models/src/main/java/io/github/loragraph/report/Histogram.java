package io.github.loragraph.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How long the texts are, as bars; those that are held out beside them. */
final class Histogram {
  private static final int UNITS = 10_000;

  private Histogram() {}

  /**
   * @param training {@code width} of a bin and {@code counts} in bins, the first from 0
   * @param heldOut the same; missing where there are none
   */
  static void writeTo(Markup page, JsonNode training, JsonNode heldOut) {
    // Of texts of other lengths bins have another width, which is a power of two.
    int width = Math.max(width(training), width(heldOut));
    double[] shares = shares(training, width);
    double[] others = shares(heldOut, width);
    int bins = Math.max(shares.length, others.length);
    double most = 1e-9;
    for (int i = 0; i < bins; i++) {
      most = Math.max(most, Math.max(at(shares, i), at(others, i)));
    }
    String title = "Lengths of the texts, cut ones as they are trained on";
    page.raw("<figure class=\"chart\"><figcaption>").text(title).raw("</figcaption>");
    page.raw(
        "<div class=\"plot still\"><div class=\"yname\" aria-hidden=\"true\">share of texts</div>");
    page.raw("<div class=\"yticks\" aria-hidden=\"true\">");
    double step = Chart.niceStep(most / 4);
    for (int i = 0; i * step <= most; i++) {
      page.raw("<span style=\"bottom:" + percent(i * step / most) + "%\">")
          .text(String.format(Locale.ROOT, step < 0.01 ? "%.1f%%" : "%.0f%%", 100 * i * step))
          .raw("</span>");
    }
    page.raw(
        Markup.tag(
            "</div><div class=\"area\"><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\">",
            UNITS, UNITS));
    page.element("title", title).element("desc", described(training, width));
    for (int i = 0; i * step <= most; i++) {
      page.raw(
          Markup.tag("<path class=\"grid\" d=\"M0 %dH%d\"/>", UNITS - up(i * step, most), UNITS));
    }
    for (int i = 0; i < bins; i++) {
      double x = (double) UNITS * i / bins;
      double each = 0.84 * UNITS / bins / (others.length > 0 ? 2 : 1);
      bar(
          page,
          x + 0.08 * UNITS / bins,
          each,
          up(at(shares, i), most),
          "c0",
          label(i, width, at(shares, i)));
      if (others.length > 0) {
        bar(
            page,
            x + 0.08 * UNITS / bins + each,
            each,
            up(at(others, i), most),
            "c1",
            label(i, width, at(others, i)));
      }
    }
    page.raw("</svg></div><div class=\"xticks\" aria-hidden=\"true\">");
    double tokens = (double) bins * width;
    double tick = Math.max(1, Chart.niceStep(tokens / 5));
    for (int i = 0; i * tick <= tokens; i++) {
      page.raw("<span style=\"left:" + percent(i * tick / tokens) + "%\">")
          .text(Figures.count(i * tick))
          .raw("</span>");
    }
    page.raw("</div><div class=\"xname\" aria-hidden=\"true\">tokens</div></div>");
    if (others.length > 0) {
      page.raw(
          "<ul class=\"legend\"><li><span class=\"square c0\"></span>training</li><li><span class=\"square c1\"></span>held out</li></ul>");
    }
    page.raw("</figure>\n");
  }

  private static void bar(
      Markup page, double x, double width, int height, String colour, String label) {
    if (height > 0) {
      page.raw(
              Markup.tag(
                  "<rect class=\"bar %s\" x=\"%.0f\" y=\"%d\" width=\"%.0f\" height=\"%d\"><title>",
                  colour, x, UNITS - height, Math.max(1, width), height))
          .text(label)
          .raw("</title></rect>");
    }
  }

  private static String label(int bin, int width, double share) {
    String which =
        width == 1
            ? "%,d tokens".formatted(bin)
            : "%,d to %,d tokens".formatted((long) bin * width, (long) (bin + 1) * width - 1);
    return which + String.format(Locale.ROOT, ": %.1f%%", 100 * share);
  }

  private static int up(double share, double most) {
    return (int) Math.round(share / most * UNITS);
  }

  private static double at(double[] shares, int bin) {
    return bin < shares.length ? shares[bin] : 0;
  }

  private static int width(JsonNode histogram) {
    return Math.max(1, histogram.path("width").asInt(1));
  }

  /** In bins of a width that is a multiple of its own. */
  private static double[] shares(JsonNode histogram, int width) {
    JsonNode counts = histogram.path("counts");
    int together = width / width(histogram);
    double[] shares = new double[(counts.size() + together - 1) / together];
    double sum = 0;
    for (int i = 0; i < counts.size(); i++) {
      shares[i / together] += counts.get(i).asDouble();
      sum += counts.get(i).asDouble();
    }
    for (int i = 0; i < shares.length; i++) {
      shares[i] = sum == 0 ? 0 : shares[i] / sum;
    }
    return shares;
  }

  private static String described(JsonNode training, int width) {
    List<String> words = new ArrayList<>();
    for (String name : List.of("shortest", "median", "longest")) {
      if (training.path(name).isNumber()) {
        words.add(name + " " + Figures.count(training.path(name).asDouble()));
      }
    }
    return "Tokens of the texts to train on, in bins of %d: %s."
        .formatted(width, String.join(", ", words));
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.2f", 100 * share);
  }
}
