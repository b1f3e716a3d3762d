package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.report.ComparedRun;
import io.github.loragraph.report.ComparisonPage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the page of several runs says of those that an experiment or a search gives it. */
class ComparisonPageTest {
  private static final Pattern HEADING = Pattern.compile("<th scope=\"col\"[^>]*>([^<]*)</th>");
  private static final Pattern ROW = Pattern.compile("(?s)<tr data-look.*?</tr>");
  private static final Pattern CELL = Pattern.compile("(?s)<t[hd][ >].*?</t[hd]>");

  @TempDir Path folder;
  private Trainings trainings;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  private Path run(String name, Object... more) {
    List<Object> words = new ArrayList<>(List.of("train", trainings.model()));
    words.addAll(List.of("--data", trainings.data(), "--eval", trainings.data(), "--steps", 4));
    words.addAll(List.of("--threads", 1, "-o", folder.resolve(name)));
    words.addAll(List.of(more));
    Cli.json(words.toArray());
    return folder.resolve(name);
  }

  /** The cells of each row of both tables, the headings first. */
  static List<List<String>> tables(Path html) throws IOException {
    String page = Files.readString(html);
    List<List<String>> tables = new ArrayList<>();
    for (String table : page.split("<table ", -1)) {
      if (table.contains("<thead>")) {
        tables.add(HEADING.matcher(table).results().map(found -> found.group(1)).toList());
        ROW.matcher(table)
            .results()
            .map(
                row ->
                    CELL.matcher(row.group())
                        .results()
                        .map(cell -> cell.group().replaceAll("<[^>]*>", ""))
                        .toList())
            .forEach(tables::add);
      }
    }
    return tables;
  }

  /** What one run was given and another was not, that one has nevertheless: here the method. */
  @Test
  void whatRunsDifferByStandsBehindTheirNames() throws IOException {
    Path lora = run("lora");
    Path head = run("head", "--lr", "5e-3", "--batch-size", 4);
    Path html = folder.resolve("compare.html");
    ComparisonPage.write(
        html,
        "two",
        null,
        List.of(
            new ComparedRun("lora", "lora", "0", null, lora, Map.of("log-every", "7")),
            new ComparedRun(
                "other",
                "other",
                "0",
                null,
                head,
                new TreeMap<>(Map.of("lr", "5e-3", "batch-size", "4", "method", "lora")))));
    List<List<String>> tables = tables(html);
    assertEquals(List.of("configuration", "batch-size", "lr", "runs"), tables.get(0).subList(0, 4));
    assertEquals("lora", tables.get(1).get(0));
    assertEquals(List.of("other", "4", "5e-3", "1"), tables.get(2).subList(0, 4));
    assertTrue(
        !tables.get(1).get(1).isEmpty() && !tables.get(1).get(2).isEmpty(), tables::toString);
    assertEquals(List.of("run", "batch-size", "lr", "status"), tables.get(3).subList(0, 4));
    assertEquals("finished", tables.get(4).get(3));
  }

  @Test
  void aRunWhoseStatusIsGivenIsShownWithIt() throws IOException {
    Path left = run("left");
    Path html = folder.resolve("compare.html");
    ComparisonPage.write(
        html,
        "one",
        "loss",
        List.of(new ComparedRun("trial 1", "trial 1", "0", "pruned", left, Map.of("lr", "1"))));
    List<List<String>> tables = tables(html);
    assertEquals(List.of("configuration", "status", "runs", "loss"), tables.get(0).subList(0, 4));
    assertEquals(List.of("trial 1", "pruned", "1"), tables.get(1).subList(0, 3));
    assertTrue(Files.readString(html).contains("1 run of 1 configuration: 1 pruned"));
  }

  /**
   * The colours of lines, light and dark: any two are apart, also for those who see no red or no
   * green (matrices of Machado, Oliveira and Fernandes 2009; distances in OKLab).
   */
  @Test
  void anyTwoColoursOfLinesAreApart() throws IOException {
    String css;
    try (InputStream in = ComparisonPage.class.getResourceAsStream("page.css")) {
      css = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    double[][][] eyes = {
      {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
      {
        {0.152286, 1.052583, -0.204868},
        {0.114503, 0.786281, 0.099216},
        {-0.003882, -0.048116, 1.051998}
      },
      {
        {0.367322, 0.860646, -0.227968},
        {0.280085, 0.672501, 0.047413},
        {-0.011820, 0.042940, 0.968881}
      }
    };
    Matcher found = Pattern.compile("--c(\\d):#([0-9a-f]{6})").matcher(css);
    List<String> all = new ArrayList<>();
    while (found.find()) {
      all.add(found.group(2));
    }
    assertEquals(14, all.size(), "of two palettes");
    for (List<String> palette : List.of(all.subList(0, 7), all.subList(7, 14))) {
      for (double[][] eye : eyes) {
        for (int i = 0; i < palette.size(); i++) {
          for (int j = 0; j < i; j++) {
            double[] one = seen(palette.get(i), eye);
            double[] other = seen(palette.get(j), eye);
            double apart =
                Math.hypot(Math.hypot(one[0] - other[0], one[1] - other[1]), one[2] - other[2]);
            assertTrue(apart > 0.075, palette.get(i) + " and " + palette.get(j) + ": " + apart);
          }
        }
      }
    }
  }

  /** A colour in OKLab, as an eye sees it. */
  private static double[] seen(String colour, double[][] eye) {
    double[] light = new double[3];
    for (int i = 0; i < 3; i++) {
      double part = Integer.parseInt(colour.substring(2 * i, 2 * i + 2), 16) / 255.0;
      light[i] = part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    }
    double[] cones =
        times(
            new double[][] {
              {0.4122214708, 0.5363325363, 0.0514459929},
              {0.2119034982, 0.6806995451, 0.1073969566},
              {0.0883024619, 0.2817188376, 0.6299787005}
            },
            clamped(times(eye, light)));
    for (int i = 0; i < 3; i++) {
      cones[i] = Math.cbrt(cones[i]);
    }
    return times(
        new double[][] {
          {0.2104542553, 0.7936177850, -0.0040720468},
          {1.9779984951, -2.4285922050, 0.4505937099},
          {0.0259040371, 0.7827717662, -0.8086757660}
        },
        cones);
  }

  private static double[] times(double[][] matrix, double[] vector) {
    double[] product = new double[3];
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) {
        product[i] += matrix[i][j] * vector[j];
      }
    }
    return product;
  }

  private static double[] clamped(double[] light) {
    double[] inside = new double[3];
    for (int i = 0; i < 3; i++) {
      inside[i] = Math.max(0, Math.min(1, light[i]));
    }
    return inside;
  }
}
