package io.github.loragraph.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused before anything is measured. */
class BenchTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--sizes 8",
        "--sizes 0x64",
        "--models bert",
        "--turns 0",
        "--row four",
        "--only nothing",
        "--base main"
      })
  void wrongUsageIsRefused(String arguments) {
    assertEquals(2, Bench.execute(arguments.split(" ")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "--version"})
  void helpIsPrinted(String option) {
    assertEquals(0, Bench.execute(option));
  }
}
