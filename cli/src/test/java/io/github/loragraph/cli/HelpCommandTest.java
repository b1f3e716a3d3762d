package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class HelpCommandTest {
  private record Said(int exitCode, String out, String err) {}

  private static Said run(String words) {
    CommandLine commandLine = LoraGraph.commandLine();
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int exitCode = LoraGraph.execute(commandLine, words.split(" "));
    return new Said(exitCode, out.toString(), err.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "help, --help",
    "help train, train --help",
    "help artifacts apply, artifacts apply --help",
    "help unload, remove --help"
  })
  void printsWhatTheOptionPrints(String words, String option) {
    Said said = run(words);
    assertEquals(new Said(0, run(option).out(), ""), said);
    assertTrue(said.out().contains("Usage: "), said::out);
  }

  @ParameterizedTest
  @ValueSource(strings = {"help trian", "help train apply"})
  void aCommandThatThereIsNotIsNamed(String words) {
    Said said = run(words);
    assertEquals(2, said.exitCode());
    assertTrue(said.err().startsWith("lora-graph: there is no command '"), said::err);
  }

  @Test
  void aValueThatIsNoNumberIsSaidInPlainWords() {
    assertTrue(
        run("train m.onnx --data d.tsv --lr abc")
            .err()
            .startsWith("lora-graph: Invalid value for option '--lr': 'abc' is no number"));
    assertTrue(
        run("train m.onnx --data d.tsv --batch-size 1.5").err().contains("is no whole number"));
  }

  @Test
  void aChoiceThatMayBeLeftOutIsNotInTheUsageLine() {
    assertTrue(
        run("add-head --help")
            .out()
            .contains("Usage: lora-graph add-head [OPTIONS] --output=FOLDER MODEL"));
  }
}
