package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class AdviceTextTest {
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--?[a-z][\\w-]*");
  private static final Pattern COMMAND = Pattern.compile("lora-graph ([a-z-]+)");

  @ParameterizedTest
  @EnumSource
  void aRemedyNamesOptionsAndCommandsThatThereAre(Remedy remedy) {
    String first =
        switch (remedy) {
          case NAME_COLUMN, NAME_COLUMN_OR_HEADING, NAME_FIELD -> "text pair";
          case GIVE_AS_IT_WAS -> "evalSplit";
          default -> "x";
        };
    LoraGraphException failure = new LoraGraphException("a fault", remedy.with(first, "y", "z"));
    Map<String, CommandLine> commands = LoraGraph.commandLine().getSubcommands();
    Set<String> options = new HashSet<>();
    commands
        .values()
        .forEach(
            c -> c.getCommandSpec().options().forEach(o -> options.addAll(List.of(o.names()))));
    String message = AdviceText.message(failure);
    assertTrue(message.startsWith("a fault: ") || message.startsWith("a fault, "), message);
    assertFalse(message.contains("%"), message);
    OPTION
        .matcher(message)
        .results()
        .forEach(o -> assertTrue(options.contains(o.group()), message));
    for (Matcher named = COMMAND.matcher(message); named.find(); ) {
      assertTrue(commands.containsKey(named.group(1)), message);
    }
    String neutral = failure.getMessage();
    assertTrue(neutral.startsWith("a fault: ") || neutral.startsWith("a fault, "), neutral);
    assertFalse(neutral.contains("%") || OPTION.matcher(neutral).find(), neutral);
  }

  @Test
  void aFilesNameInFrontLeavesTheAdvice() {
    LoraGraphException failure =
        new LoraGraphException("no head", Remedy.ADD_HEAD).in(Path.of("m.onnx"));
    assertEquals("m.onnx: no head: put a head on it", failure.getMessage());
    assertEquals(
        "m.onnx: no head: put one on with 'lora-graph add-head'", AdviceText.message(failure));
    assertEquals(Remedy.ADD_HEAD, failure.advice().orElseThrow().remedy());
  }

  @Test
  void aFolderOfSeveralWordsIsQuoted() {
    LoraGraphException failure =
        new LoraGraphException("stopped", Remedy.RESUME_RUN.with(Path.of("my run")));
    assertEquals("stopped: resume the run in my run", failure.getMessage());
    assertEquals(
        "stopped: go on with it: lora-graph train --resume 'my run'", AdviceText.message(failure));
  }

  @Test
  void whatIsLongKeepsTheAdvice() {
    LoraGraphException failure = new LoraGraphException("x".repeat(1000), Remedy.REPLACE_OUTPUT);
    assertTrue(AdviceText.message(failure).endsWith("or replace it with --force"));
    assertEquals(LoraGraphException.LONGEST_MESSAGE, AdviceText.message(failure).length());
  }
}
