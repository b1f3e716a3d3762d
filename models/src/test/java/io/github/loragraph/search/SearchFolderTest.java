package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a folder is taken for, and what is kept in it. */
class SearchFolderTest {
  private static final Map<String, Object> SEARCH =
      Map.of(
          "model",
          "encoder",
          "head",
          Map.of("pooling", "cls"),
          "trials",
          4,
          "checksums",
          Map.of("model", List.of("sha256:1"), "data", List.of("sha256:2")));

  @TempDir Path folder;

  private void assertRefused(String words, String key, Object value) {
    Map<String, Object> other = new LinkedHashMap<>(SEARCH);
    other.remove(key);
    if (!value.equals("")) {
      other.put(key, value);
    }
    String message =
        assertThrows(LoraGraphException.class, () -> SearchFolder.check(folder, other, false))
            .getMessage();
    assertTrue(message.contains(words), message);
    SearchFolder.check(folder, other, true);
  }

  @Test
  void whatIsAnotherOrTakenOutIsAnotherSearch() {
    SearchFolder.open(folder, SEARCH, 2, false).close();
    SearchFolder.check(folder, SEARCH, false);
    assertRefused("its head was {\"pooling\":\"cls\"} and is not given", "head", "");
    assertRefused("its method was not given and is \"random\"", "method", "random");
    assertRefused("its trials was 4 and is 5", "trials", 5);
    assertRefused(
        "the content of its model has changed",
        "checksums",
        Map.of("model", List.of("sha256:3"), "data", List.of("sha256:2")));
    assertRefused(
        "the content of its eval has changed",
        "checksums",
        Map.of(
            "model",
            List.of("sha256:1"),
            "data",
            List.of("sha256:2"),
            "eval",
            List.of("sha256:2")));
  }

  @Test
  void trialsKeepTheThreadsOfTheFirst() {
    SearchFolder.open(folder, SEARCH, 2, false).close();
    try (SearchFolder again = SearchFolder.open(folder, SEARCH, 8, false)) {
      assertEquals(2, again.threads());
    }
  }

  /** What a kill in the very first moment leaves is nobody else's. */
  @Test
  void aFirstWriteThatWasKilledIsBegunAgain() throws Exception {
    Path left = folder.resolve(".search.yaml.lora-0123456789ab.part");
    Files.writeString(left, "model");
    Files.createFile(folder.resolve(".lock"));
    SearchFolder.open(folder, SEARCH, 2, false).close();
    assertFalse(Files.exists(left));
    assertTrue(Files.exists(folder.resolve(SearchFolder.SEARCH)));
  }
}
