package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class RehearsalTest {
  /** A command that fails would be missing in the archive of classes, and nobody would see it. */
  @Test
  void allCommandsWork() throws Exception {
    StringWriter err = new StringWriter();
    assertEquals(0, Rehearsal.run(new PrintWriter(err)), err::toString);
  }
}
