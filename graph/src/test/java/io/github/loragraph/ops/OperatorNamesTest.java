package io.github.loragraph.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What is known of operators stands in {@code ops} alone: outside, no collection and no switch has
 * the names of three or more.
 */
class OperatorNamesTest {
  /** What such a list is for, by the file that it stands in. */
  private static final Map<String, String> ALLOWED =
      Map.of(
          "Dora.java", "the nodes that the norm of an adapted weight is made of",
          "AnswerSearch.java", "the activations that it tells apart",
          "LinearAsGemm.java", "says how each operator of a Linear goes into a Gemm",
          "FirstTokenSelection.java", "says how the axes of each operator are those of its input",
          "AttentionBlocks.java", "says which operators leave the axes of a matrix the last two",
          "LinearFinder.java", "the forms of a Linear that the finder itself reads",
          "UnrecognisedLayer.java", "the forms of a weight and of a product that it tells apart");

  private static final Pattern START =
      Pattern.compile("(Set|List|Map)\\.(of|ofEntries)\\(|switch \\([^{]*\\{");
  private static final Pattern LITERAL = Pattern.compile("\"([A-Za-z0-9]+)\"");

  @Test
  void noTableOfOperatorNamesStandsOutsideOps() throws IOException {
    Set<String> names =
        Operators.all().operators().stream().map(Operator::name).collect(Collectors.toSet());
    Map<String, List<Set<String>>> found = new TreeMap<>();
    for (Path source : sources()) {
      String text = Files.readString(source);
      Matcher start = START.matcher(text);
      while (start.find()) {
        Set<String> listed = new TreeSet<>();
        Matcher literal = LITERAL.matcher(enclosed(text, start.end()));
        while (literal.find()) {
          if (names.contains(literal.group(1))) {
            listed.add(literal.group(1));
          }
        }
        if (listed.size() >= 3) {
          found
              .computeIfAbsent(source.getFileName().toString(), f -> new ArrayList<>())
              .add(listed);
        }
      }
    }
    assertEquals(new TreeSet<>(ALLOWED.keySet()), found.keySet(), found::toString);
  }

  /** What stands between a bracket, which is before the start, and the one that closes it. */
  private static String enclosed(String text, int start) {
    char open = text.charAt(start - 1);
    char close = open == '(' ? ')' : '}';
    int depth = 1;
    int end = start;
    while (depth > 0 && end < text.length()) {
      char c = text.charAt(end++);
      depth += c == open ? 1 : c == close ? -1 : 0;
    }
    return text.substring(start, end);
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> modules = Files.list(root())) {
      for (Path module : modules.toList()) {
        Path main = module.resolve("src").resolve("main").resolve("java");
        if (Files.isDirectory(main)) {
          try (Stream<Path> files = Files.walk(main)) {
            files
                .filter(file -> file.toString().endsWith(".java"))
                .filter(file -> !file.toString().replace('\\', '/').contains("/loragraph/ops/"))
                .forEach(sources::add);
          }
        }
      }
    }
    return sources;
  }

  private static Path root() {
    try {
      Path classes =
          Path.of(
              OperatorNamesTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classes.getParent().getParent().getParent();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
