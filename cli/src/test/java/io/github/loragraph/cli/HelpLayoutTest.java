package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

class HelpLayoutTest {
  static List<CommandSpec> commands() {
    return Commands.all();
  }

  private static String help(CommandSpec command) {
    return command.commandLine().getUsageMessage(CommandLine.Help.Ansi.OFF);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void showsEachOptionThatIsNotHiddenOnce(CommandSpec command) {
    String help = help(command);
    for (OptionSpec option : command.options()) {
      long lines =
          help.lines()
              .filter(line -> line.matches(" {2,6}(-\\w, )?" + pattern(option) + "\\b.*"))
              .count();
      assertEquals(option.hidden() ? 0 : 1, lines, () -> option + "\n" + help);
    }
  }

  private static String pattern(OptionSpec option) {
    String name = ConfigFile.firstLongName(option).substring(2);
    return "--(\\[no-\\])?" + name + "(?=[,= \\[]|$)";
  }

  @ParameterizedTest
  @MethodSource("commands")
  void offersValuesInLowerCaseAlone(CommandSpec command) {
    for (var argument : command.args()) {
      assertFalse(
          argument.type().isEnum() && argument.completionCandidates() == null,
          () -> argument + " offers nothing");
      if (argument.completionCandidates() != null) {
        StreamSupport.stream(argument.completionCandidates().spliterator(), false)
            .forEach(value -> assertEquals(value.toLowerCase(Locale.ROOT), value));
      }
    }
  }

  @Test
  void putsTheMostUsedOptionsFirst() {
    CommandSpec train = LoraGraph.commandLine().getSubcommands().get("train").getCommandSpec();
    String help = help(train);
    List<String> order =
        List.of(
            "\nOptions:",
            "--data=",
            "--eval=",
            "-o,",
            "--epochs,",
            "--lr,",
            "\nData:",
            "\nWhat is trained:",
            "\nThe course of the training:",
            "\nLog and checkpoints:",
            "\nThe machine:",
            "\nGeneral:",
            "--help");
    int before = -1;
    for (String word : order) {
      int at = help.indexOf(word, before + 1);
      assertTrue(at > before, () -> word + " is not where it should be in\n" + help);
      before = at;
    }
  }

  @Test
  void listsTheCommandsBeforeTheOptions() {
    String help = help(LoraGraph.commandLine().getCommandSpec());
    assertTrue(help.indexOf("  quickstart") < help.indexOf("--stacktrace"), help);
    assertTrue(help.contains("docs/"), help);
  }

  @ParameterizedTest
  @CsvSource({
    "--method, FULL",
    "--method, Full",
    "--precision, BF16",
    "--schedule, CONSTANT-WITH-WARMUP",
    "--engine, Training_API",
    "--weight-decay-on, All",
    "--task, Multilabel"
  })
  void takesValuesInAnyCase(String option, String value) {
    CommandLine commandLine = LoraGraph.commandLine();
    commandLine.parseArgs("train", "model.onnx", option, value);
  }

  @ParameterizedTest
  @CsvSource({
    "train, --method, 'lora, full, head'",
    "train, --precision, 'fp32, fp16, bf16'",
    "train, --schedule, 'linear, cosine, constant, constant_with_warmup'",
    "train, --weight-decay-on, 'weights, all'",
    "add-head, --pooling, 'mean, first'",
    "artifacts, --optimizer, 'adamw, sgd'"
  })
  void namesValuesInLowerCaseWhereOneIsWrong(String command, String option, String values) {
    CommandLine commandLine = LoraGraph.commandLine();
    StringWriter err = new StringWriter();
    commandLine.setErr(new PrintWriter(err, true));
    assertEquals(2, LoraGraph.execute(commandLine, command, "model.onnx", option, "neither"));
    assertTrue(err.toString().contains("'neither' is not one of: " + values), err.toString());
  }

  @Test
  void callsAnOptionByItsFirstNameWhereItIsMissing() {
    CommandLine commandLine = LoraGraph.commandLine();
    StringWriter err = new StringWriter();
    commandLine.setErr(new PrintWriter(err, true));
    assertEquals(2, LoraGraph.execute(commandLine, "inject", "model.onnx"));
    assertTrue(err.toString().contains("'--match=REGEX'"), err.toString());
  }

  @Test
  void takesTheNamesOfPeft() {
    LoraGraph.commandLine()
        .parseArgs(
            "inject",
            "model.onnx",
            "--target-modules",
            "query",
            "--lora-alpha",
            "16",
            "--modules-to-save",
            "score");
    LoraGraph.commandLine().parseArgs("unload", "model.onnx");
  }
}
