package io.github.loragraph.error;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PlainTextTest {
  @Test
  void controlCharactersBecomeEscapes() {
    String plain = "caf\u00e9 \ud83d\ude00\tone\r\ntwo";
    assertSame(plain, PlainText.of(plain));
    assertEquals(
        "\\u001b[31m\\u0007\\u0000\\u007f\\u009b\\u202e\\u2066x",
        PlainText.of("\u001b[31m\u0007\u0000\u007f\u009b\u202e\u2066x"));
    assertEquals("a\\u000db", PlainText.of("a\rb"));
    assertEquals("a\\u000ab\\u0009c\\u2028", PlainText.line("a\nb\tc\u2028"));
  }

  @Test
  void messagesAreOneShortLine() {
    LoraGraphException e =
        new LoraGraphException(
            "model.onnx: '%s' is\n  no \u001b[1mname: choose another"
                .formatted("x".repeat(100_000)));
    assertEquals(
        "model.onnx: '%s...%s' is no \\u001b[1mname: choose another"
            .formatted("x".repeat(44), "x".repeat(12)),
        e.getMessage());
    LoraGraphException many =
        new LoraGraphException("model.onnx: " + "a, ".repeat(1000) + ": do this");
    assertEquals(LoraGraphException.LONGEST_MESSAGE, many.getMessage().length());
    assertTrue(many.getMessage().startsWith("model.onnx: a, "), many.getMessage());
    assertTrue(many.getMessage().endsWith(": do this"), many.getMessage());
  }

  @Test
  void theFileStandsInFrontUnlessItIsNamed() {
    Path file = Path.of("some/model.onnx");
    LoraGraphException e = new LoraGraphException("the model has " + "no head ".repeat(60));
    assertTrue(e.in(file).getMessage().startsWith(file + ": the model has no head"));
    assertEquals(LoraGraphException.LONGEST_MESSAGE, e.in(file).getMessage().length());
    LoraGraphException named = new LoraGraphException("cannot read " + file + ": it is gone");
    assertSame(named, named.in(file));
    assertSame(e.in(file).getClass(), e.in(file).in(file).getClass());
    assertEquals(e.in(file).getMessage(), e.in(file).in(file).getMessage());
  }
}
