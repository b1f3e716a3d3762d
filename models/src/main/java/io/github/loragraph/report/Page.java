package io.github.loragraph.report;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** What all pages have: one file with its style and script, that asks nothing of a network. */
final class Page {
  private Page() {}

  /**
   * A page around a body.
   *
   * @param title for the window
   * @param kind a class name of its main part
   */
  static String of(String title, String kind, Markup body) {
    Markup page = new Markup();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
    // Nothing is asked of a network, whatever stands in a text.
    page.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n");
    page.raw("<title>").text(title).raw("</title>\n<style>\n");
    page.raw(resource("page.css")).raw("</style>\n</head>\n<body>\n");
    page.raw("<main class=\"" + kind + "\">\n");
    page.raw(body.toString());
    page.raw("</main>\n<script>\n").raw(resource("page.js")).raw("</script>\n</body>\n</html>\n");
    return page.toString();
  }

  private static String resource(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + name + ": " + AtomicFile.reason(e), e);
    }
  }

  /** Writes a page whole or not at all. */
  static void write(Path html, boolean replace, String page) {
    AtomicFile.write(html, replace, out -> out.write(page.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * A name that is a link to another page where there is one: a relative one, which goes on leading
   * there when the folder that has both is moved.
   *
   * @param html the page that it stands on
   * @param target the other page
   */
  static void linkTo(Markup page, Path html, Path target, String name) {
    if (!Files.exists(target)) {
      page.isolated(name);
      return;
    }
    Path from = AtomicFile.folderOf(html.toAbsolutePath().normalize());
    Path to = target.toAbsolutePath().normalize();
    String link =
        Objects.equals(from.getRoot(), to.getRoot())
            ? encoded(from.relativize(to))
            : to.toUri().toString();
    page.raw("<a href=\"").text(link).raw("\">").isolated(name).raw("</a>");
  }

  private static String encoded(Path relative) {
    List<String> parts = new ArrayList<>();
    for (Path part : relative) {
      parts.add(URLEncoder.encode(part.toString(), StandardCharsets.UTF_8).replace("+", "%20"));
    }
    return String.join("/", parts);
  }

  /** Lines on what could not be shown. */
  static void remarks(Markup page, List<String> remarks) {
    for (String remark : remarks) {
      page.raw("<p class=\"remark\">").text(remark).raw("</p>\n");
    }
  }

  /**
   * The beginning of a table in a box of its own, in which it moves sideways.
   *
   * @param caption what it is of
   * @param kind further class names
   */
  static void openTable(Markup page, String caption, String kind) {
    page.raw("<div class=\"box\" tabindex=\"0\" role=\"region\" aria-label=\"")
        .text(caption)
        .raw("\"><table class=\"" + kind + "\"><caption>")
        .text(caption)
        .raw("</caption>\n");
  }

  static void closeTable(Markup page) {
    page.raw("</tbody></table></div>\n");
  }

  /**
   * A column of a table.
   *
   * @param numbers whether it has numbers, which stand to the right
   */
  record Column(String name, boolean numbers) {}

  /** Columns of words. */
  static Stream<Column> words(String... names) {
    return Arrays.stream(names).map(name -> new Column(name, false));
  }

  /** Columns of numbers. */
  static Stream<Column> numbers(String... names) {
    return Arrays.stream(names).map(name -> new Column(name, true));
  }

  /** The heading of a table's columns. */
  @SafeVarargs
  @SuppressWarnings("varargs") // read here alone
  static void heading(Markup page, Stream<Column>... columns) {
    page.raw("<thead><tr>");
    Arrays.stream(columns)
        .flatMap(part -> part)
        .forEach(
            column ->
                page.raw("<th scope=\"col\"" + (column.numbers ? " class=\"n\">" : ">"))
                    .text(column.name)
                    .raw("</th>"));
    page.raw("</tr></thead><tbody>\n");
  }

  /** A cell with a number, by which its column can be sorted. */
  static void number(Markup page, double value, String shown) {
    page.raw("<td class=\"n\" data-v=\"" + (Double.isNaN(value) ? "" : value) + "\">")
        .text(shown)
        .raw("</td>");
  }
}
