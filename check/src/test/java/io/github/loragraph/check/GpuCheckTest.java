package io.github.loragraph.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/** The check as it runs on a machine with a GPU, on the CPU and small. */
class GpuCheckTest {
  private record Run(int exitCode, String out, String err) {
    static Run of(String... arguments) {
      StringWriter out = new StringWriter();
      StringWriter err = new StringWriter();
      CommandLine commandLine = GpuCheck.commandLine();
      commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
      int exitCode = commandLine.execute(arguments);
      return new Run(exitCode, out.toString(), err.toString());
    }
  }

  /** Where an option of the command is renamed the figures of a GPU must not be lost. */
  @ParameterizedTest
  @EnumSource
  void asksForFiguresInOptionsThatTheCommandHas(Precision precision) {
    CommandLine benchmark = LoraGraph.commandLine().getSubcommands().get("benchmark");
    CheckedDevice gpu = new CheckedDevice("cuda");
    Sizes sizes = Sizes.of(gpu, false);
    for (int stepsPerCall : sizes.stepsPerCall()) {
      List<String> arguments =
          new StepBenchmark(ReferenceModel.MINILM, precision, stepsPerCall, gpu, sizes)
              .arguments("model.lora.onnx", benchmark);
      CommandLine.ParseResult parsed =
          LoraGraph.commandLine().parseArgs(arguments.toArray(String[]::new)).subcommand();
      assertEquals(precision.tf32(), parsed.matchedOptionValue("--tf32", true));
    }
  }

  /** The first word is a command, and names are those of architectures. */
  @ParameterizedTest
  @EnumSource
  void makesItsModelsByCommandsThatThereAre(ReferenceModel model) {
    for (List<String> command : model.commands()) {
      CommandLine.ParseResult parsed =
          LoraGraph.commandLine().parseArgs(command.toArray(String[]::new)).subcommand();
      assertEquals(command.get(0), parsed.commandSpec().name());
    }
  }

  @Test
  void writesWhatItFoundAndClaimsNothingElse(@TempDir Path folder) throws Exception {
    // A tiny model in MiniLM's place: the whole check is then a matter of seconds.
    Path model = folder.resolve(ReferenceModel.MINILM.file());
    Files.createDirectories(model.getParent());
    OracleDifferences tiny =
        new OracleDifferences(Oracle.of("tiny-bert"), new Sessions(OrtRuntime.ofThisProcess(), 1));
    OnnxFile.write(tiny.injected(), model, false);
    Path file = folder.resolve("gpu.md");
    Run run =
        Run.of(
            "--device",
            "cpu",
            "--quick",
            "--models",
            folder.toString(),
            "--output",
            file.toString());
    assertEquals(0, run.exitCode(), run.err());
    String report = Files.readString(file);
    assertTrue(
        report.startsWith(
            "# gpu-check: nothing failed, 2 not measured\n\n`gpu-check --device cpu --quick --models "),
        report);
    assertTrue(
        report.contains("| all oracles within 0.00010, TF32 off | **PASS** | largest difference "),
        report);
    assertTrue(
        report.contains("| no compute node of a step on the CPU | **not measured** |"), report);
    assertTrue(report.contains("sequence 128 | **not measured** |"), report);
    assertTrue(report.contains("| tiny-bert | "), report);
    assertTrue(report.contains(" on CPUExecutionProvider | "), report);
    assertTrue(report.contains("`lora-graph benchmark minilm/model.lora.onnx "), report);
    assertTrue(report.contains("--batch-size 2 --sequence 16 --steps 2 --json`"), report);
    assertTrue(report.contains("not measured: no script was given"), report);
    // The figures that a step has are all there, its share of the matrix rate among them.
    String step =
        report.lines().filter(l -> l.contains("lora-graph benchmark")).findFirst().orElseThrow();
    assertTrue(
        step.matches(
            "\\| all-MiniLM-L6-v2 \\| fp32 \\| 1 \\| [0-9.]+ \\| [0-9.]+ \\| [0-9.]+ \\| [0-9.]+ \\| not measured"
                + " \\| [0-9]+ % \\| not measured \\| .*"),
        step);
    assertFalse(report.contains("## Not measured"), report);
  }

  @Test
  void failsWithTheReasonWhereTheDeviceCannotBeHad(@TempDir Path folder) throws Exception {
    assumeFalse(Files.exists(Path.of("/dev/nvidiactl")), "there may be a GPU");
    Path file = folder.resolve("gpu.md");
    Run run = Run.of("--quick", "--only", "oracles", "--output", file.toString());
    assertEquals(1, run.exitCode(), run.err());
    String report = Files.readString(file);
    assertTrue(report.startsWith("# gpu-check: FAIL\n"), report);
    assertTrue(report.contains("TF32 off | **FAIL** | oracle tiny-roberta: "), report);
  }

  @Test
  void refusesADeviceThatItDoesNotKnow() {
    Run run = Run.of("--device", "tpu");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().startsWith("--device is cpu, cuda or cuda:N, not 'tpu'"), run.err());
  }
}
