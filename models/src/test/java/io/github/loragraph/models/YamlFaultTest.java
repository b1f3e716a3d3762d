package io.github.loragraph.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is no YAML, or no map, is said at the line where it is, in words of ours. */
class YamlFaultTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a: 1~b:~^c: 2                 | 3 | it is indented by a tab",
        "^a: 1                         | 1 | it is indented by a tab",
        "model: x~base: {lr: 1~c: 2~d: 3 | 2 | the '{' here has no '}'",
        "a: {b: {c: 1}                 | 1 | the '{' here has no '}'",
        "a: [1, 2~b: 3                 | 1 | the '[' here has no ']'",
        "a: 'x~b: 2                    | 1 | the quotation mark that begins a text here has no other",
        "b: 2~a: \"x~c: 3              | 2 | the quotation mark that begins a text here has no other",
        "a: \"C:\\q\"                  | 1 | in double quotes a backslash begins an escape",
        "epochs:1                      | 1 | there is no blank after the colon: 'epochs: 1'",
        "epochs:1~lr: 2                | 1 | there is no blank after the colon: 'epochs: 1'",
        "model: x~epochs:1~lr: 2       | 2 | there is no blank after the colon: 'epochs: 1'",
        "a: >~ x~y~b: 1                | 3 | there is no colon and blank after a name",
        "a: b: c                       | 1 | a colon stands where no name of an option can",
        "a: 1~ b: 2                    | 2 | a colon stands where no name of an option can",
        "a: 1~b: @x                    | 2 | no value begins with '@' unless it is in quotes",
        "a: %x                         | 1 | no value begins with '%' unless it is in quotes",
        "a: *                          | 1 | a '*' or '&' without quotes is for aliases",
        "a: 'x' y                      | 1 | it does not belong to what stands above",
        "a:~  - b~ c: 1                | 3 | it does not belong to what stands above",
        "a: 1~b: 2~a: 3                | 3 | 'a' is there twice",
        "# of mine~- a~- b             | 2 | it is a list, and a map is wanted",
        "[1, 2]                        | 1 | it is a list, and a map is wanted",
        "sentence,label~good,1         | 1 | it is a text, and a map is wanted",
        "sentence^label~good^1         | 1 | it is a text, and a map is wanted",
        "42                            | 1 | it is a text, and a map is wanted",
        "# nothing                     | 0 | there is nothing in it",
        "a: @                          | 0 | there is a character in it that no text has",
      })
  void isSaidAtItsLine(String yaml, int line, String words) throws Exception {
    Path file = folder.resolve("a.yaml");
    String text = words.contains("no text has") ? "a: \u0007" : yaml;
    Files.writeString(file, text.replace('~', '\n').replace('^', '\t').replace("`", "") + "\n");
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> RunConfiguration.entries(file));
    String place = file + (line == 0 ? "" : ":" + line) + " is not a YAML map of options: ";
    assertTrue(e.getMessage().startsWith(place + words), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
    assertFalse(e.getMessage().matches("(?s).*(java\\.|reader|token|scalar).*"), e.getMessage());
  }

  @Test
  void otherEncodingsAreCalledThat() throws Exception {
    Path file = folder.resolve("latin.yaml");
    for (Charset charset : List.of(StandardCharsets.ISO_8859_1, StandardCharsets.UTF_16)) {
      Files.writeString(file, "# f\u00fcr\nmodel: x\n", charset);
      String message =
          assertThrows(LoraGraphException.class, () -> RunConfiguration.entries(file)).getMessage();
      assertFalse(message.contains("java."), message);
      assertTrue(message.contains("it is not UTF-8") || message.contains("no text has"), message);
    }
  }
}
