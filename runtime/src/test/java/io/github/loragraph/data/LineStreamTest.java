package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LineStreamTest {
  @Test
  void aLineIsThereBeforeTheNextOneComes() throws Exception {
    PipedOutputStream in = new PipedOutputStream();
    LineStream lines = new LineStream(new PipedInputStream(in), "standard input");
    in.write("first\n".getBytes(StandardCharsets.UTF_8));
    in.flush();
    assertEquals(List.of("first"), lines.next(10));
    in.write("second\n\nunfinished".getBytes(StandardCharsets.UTF_8));
    in.flush();
    List<String> next = new ArrayList<>();
    while (next.size() < 2) {
      next.addAll(lines.next(1));
    }
    assertEquals(List.of("second", ""), next);
    in.close();
    assertEquals(List.of("unfinished"), lines.next(10));
    assertEquals(List.of(), lines.next(10));
    assertEquals(List.of(), lines.next(10));
  }

  @Test
  void manyLinesComeInTheirOrder() {
    StringBuilder text = new StringBuilder("\ufeff");
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      expected.add("l\u00efne " + i);
      text.append("l\u00efne ").append(i).append(i % 3 == 0 ? "\r\n" : i % 3 == 1 ? "\n" : "\r");
    }
    LineStream lines = new LineStream(stream(text.toString()), "x");
    List<String> all = new ArrayList<>();
    for (List<String> some = lines.next(7); !some.isEmpty(); some = lines.next(7)) {
      assertTrue(some.size() <= 7);
      all.addAll(some);
    }
    assertEquals(expected, all);
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aFailureComesAfterTheLinesBeforeIt() {
    byte[] latin = "fine\ncaf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1);
    LineStream lines = new LineStream(new ByteArrayInputStream(latin), "standard input");
    LoraGraphException e =
        assertThrows(
            LoraGraphException.class,
            () -> {
              while (!lines.next(1).isEmpty()) {
                // The first line may come or not: the decoder reads ahead.
              }
            });
    assertTrue(e.getMessage().startsWith("standard input is not UTF-8"), e.getMessage());
    LineStream endless = new LineStream(stream("a\n" + "x".repeat(10_000_001)), "pipe");
    assertEquals(List.of("a"), endless.next(1));
    e = assertThrows(LoraGraphException.class, () -> endless.next(1));
    assertEquals(
        "pipe:2 has more than 10,000,000 characters: mend or delete the line", e.getMessage());
  }
}
