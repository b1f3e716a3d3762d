package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** A process reads the options of the commands that its words name; nobody sees a difference. */
class NamedCommandsTest {
  private record Said(int exitCode, String out, String err) {}

  private static Said said(CommandLine commandLine, ArgumentFiles words) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return new Said(LoraGraph.execute(commandLine, words), out.toString(), err.toString());
  }

  static Stream<String> words() {
    Stream<String> explained =
        Commands.all().stream()
            .map(command -> command.qualifiedName(" ").replaceFirst("^\\S+ ?", ""))
            .flatMap(name -> Stream.of(name + " --help", "help " + name));
    return Stream.concat(
        explained,
        Stream.of(
            "",
            "-h",
            "--stacktrace inspect --help",
            "trian",
            "unload --help",
            "artifacts",
            "artifacts aply",
            "train --lerning-rate 1",
            "predict",
            "predict model.onnx train",
            "help trian",
            "completion bash",
            "completion fish"));
  }

  @ParameterizedTest
  @MethodSource("words")
  void thoseOfTheWordsSayWhatAllSay(String line) {
    String[] words = Stream.of(line.split(" ")).filter(w -> !w.isEmpty()).toArray(String[]::new);
    assertEquals(
        said(LoraGraph.commandLine(), new ArgumentFiles(words)),
        said(LoraGraph.commandLine(new ArgumentFiles(words)), new ArgumentFiles(words)));
  }

  @Test
  void wordsMayComeFromAFile(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("words"), "inspect --help");
    ArgumentFiles words = new ArgumentFiles(new String[] {"@" + file});
    assertEquals(said(LoraGraph.commandLine(), words), said(LoraGraph.commandLine(words), words));
  }

  @Test
  void theOthersAreNotRead() {
    CommandLine commandLine =
        LoraGraph.commandLine(new ArgumentFiles(new String[] {"inspect", "m"}));
    assertNotNull(
        commandLine.getSubcommands().get("inspect").getCommandSpec().findOption("--match"));
    var train = commandLine.getSubcommands().get("train").getCommandSpec();
    assertNull(train.userObject());
    assertFalse(train.usageMessage().header().length == 0);
    assertNull(train.findOption("--lr"));
  }
}
