package io.github.loragraph.adapter;

import io.github.loragraph.error.PlainText;
import java.util.List;
import java.util.Locale;

/**
 * The picture of an adapter: for each module a bar as long as the norm of what it adds to the
 * weight, and its singular values as squares, the fuller the larger. SVG that stands alone or in a
 * page, with the colours of a light or a dark one; it loads nothing.
 */
public final class AdapterPicture {
  private static final int LINE = 18;
  private static final int TOP = 58;
  private static final int BAR = 180;
  private static final int GAP = 16;
  private static final int NUMBER = 64;
  private static final int HEAT = 320;
  private static final int SQUARE = 14;
  private static final double LETTER = 6.7;
  private static final int LONGEST_NAME = 60;

  private static final String STYLE =
      """
      <style>
        .adapter { --ink: #1f2328; --faint: #6e7781; --bar: #2f6fbb; --page: #ffffff; }
        @media (prefers-color-scheme: dark) {
          .adapter { --ink: #e6edf3; --faint: #9198a1; --bar: #6cb0ff; --page: #0d1117; }
        }
        .adapter text { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: var(--ink); }
        .adapter .title { font-weight: 600; font-size: 13px; }
        .adapter .faint { fill: var(--faint); }
        .adapter .bar, .adapter .value { fill: var(--bar); }
        .adapter .page { fill: var(--page); }
      </style>
      """;

  private AdapterPicture() {}

  /**
   * Draws it.
   *
   * @param title any text; it is escaped, as are the names of modules
   * @param spectra of the modules, in the order in which they are drawn
   */
  public static String svg(String title, List<LayerSpectrum> spectra) {
    int letters = spectra.stream().mapToInt(s -> name(s).length()).max().orElse(0);
    int bars = (int) Math.ceil(letters * LETTER) + 2 * GAP;
    int heat = bars + BAR + NUMBER + GAP;
    int most = spectra.stream().mapToInt(s -> s.singularValues().size()).max().orElse(1);
    double square = Math.min(SQUARE, (double) HEAT / Math.max(1, most));
    double norm = spectra.stream().mapToDouble(LayerSpectrum::norm).max().orElse(0);
    double largest =
        spectra.stream()
            .flatMap(s -> s.singularValues().stream())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElse(0);
    int width = Math.max(heat + HEAT / 2, heat + (int) Math.ceil(most * square)) + GAP;
    int height = TOP + spectra.size() * LINE + GAP;
    StringBuilder svg = new StringBuilder();
    line(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"adapter\" role=\"img\" width=\"%d\""
            + " height=\"%d\" viewBox=\"0 0 %d %d\" aria-label=\"%s\">",
        width,
        height,
        width,
        height,
        escaped(title));
    svg.append(STYLE);
    line(svg, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>", width, height);
    text(svg, "title", GAP, 22, title);
    text(svg, "faint", bars, TOP - 10, "norm of the change");
    text(svg, "faint", heat, TOP - 10, "singular values");
    for (int i = 0; i < spectra.size(); i++) {
      LayerSpectrum spectrum = spectra.get(i);
      int y = TOP + i * LINE;
      text(svg, "name", GAP, y + 12, name(spectrum));
      double share = norm == 0 ? 0 : spectrum.norm() / norm;
      line(
          svg,
          "<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>",
          bars,
          y + 3,
          BAR * share,
          LINE - 6,
          escaped(
              "%s: norm %.4g, rank %d"
                  .formatted(spectrum.module(), spectrum.norm(), spectrum.rank())));
      text(svg, "faint", bars + BAR * share + 6, y + 12, "%.3g".formatted(spectrum.norm()));
      for (int k = 0; k < spectrum.singularValues().size(); k++) {
        double value = spectrum.singularValues().get(k);
        line(
            svg,
            "<rect class=\"value\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\""
                + " fill-opacity=\"%.3f\"><title>%s</title></rect>",
            heat + k * square,
            y + 2,
            Math.max(0.5, square - 1),
            LINE - 4,
            largest == 0 ? 0.04 : 0.04 + 0.96 * value / largest,
            escaped("%s: singular value %d is %.4g".formatted(spectrum.module(), k + 1, value)));
      }
    }
    return svg.append("</svg>\n").toString();
  }

  /** The end of a long path says more than its beginning. */
  private static String name(LayerSpectrum spectrum) {
    String name = PlainText.line(spectrum.module());
    return name.length() <= LONGEST_NAME
        ? name
        : "..." + name.substring(name.length() - LONGEST_NAME + 3);
  }

  private static void text(StringBuilder svg, String kind, double x, int y, String words) {
    line(svg, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>", kind, x, y, escaped(words));
  }

  private static void line(StringBuilder svg, String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    PlainText.line(text)
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '&' -> escaped.append("&amp;");
                case '"' -> escaped.append("&quot;");
                default -> {
                  // XML has no place for halves of characters, nor for these two.
                  boolean none = c >= 0xd800 && c <= 0xdfff || c == 0xfffe || c == 0xffff;
                  escaped.appendCodePoint(none ? '?' : c);
                }
              }
            });
    return escaped.toString();
  }
}
