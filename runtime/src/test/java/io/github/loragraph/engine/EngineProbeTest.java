package io.github.loragraph.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.cuda.CommandRun;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How the other process's end is understood; that it runs is shown by the tests of the command. */
class EngineProbeTest {
  private static final String VERSION = "lora-graph-probe version 1.2.3\n";

  @Test
  void works() {
    assertEquals(
        new EngineProbe.Answer(Optional.of("1.2.3"), Optional.empty()),
        EngineProbe.answer(
            new CommandRun(0, "a warning\n" + VERSION + "lora-graph-probe works\n")));
  }

  @Test
  void fails() {
    assertEquals(
        new EngineProbe.Answer(Optional.empty(), Optional.of("no such thing: make one")),
        EngineProbe.answer(new CommandRun(0, "lora-graph-probe failed no such thing: make one\n")));
  }

  @Test
  void endsWithoutAWord() {
    assertEquals(
        Optional.of("its process ended with exit code 134: # A fatal error"),
        EngineProbe.answer(new CommandRun(134, "\n# A fatal error\n")).problem());
    assertEquals(
        Optional.of("its process ended with exit code 134: " + VERSION.strip()),
        EngineProbe.answer(new CommandRun(134, VERSION + "lora-graph-probe works\n")).problem());
  }
}
