package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What {@code docs/recipes/search-embeddings.md} shows of Java stands in an example. */
class RecipePagesTest {
  private static final Path PAGE = Path.of("..", "docs", "recipes", "search-embeddings.md");
  private static final Path EXAMPLES = Path.of("..", "examples");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```java\n(.*?)^```$");

  @Test
  void itsPiecesAreThoseOfTheExamplesThatAreRun() throws IOException {
    List<String> programs;
    try (Stream<Path> files = Files.walk(EXAMPLES)) {
      programs =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .map(RecipePagesTest::words)
              .toList();
    }
    List<String> blocks =
        BLOCK.matcher(Files.readString(PAGE)).results().map(block -> block.group(1)).toList();
    assertEquals(3, blocks.size());
    for (String block : blocks) {
      assertTrue(
          programs.stream().anyMatch(program -> program.contains(words(block))),
          () -> "in no example: " + block);
    }
  }

  private static String words(Path file) {
    try {
      return words(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String words(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
