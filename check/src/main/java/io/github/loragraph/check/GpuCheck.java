package io.github.loragraph.check;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.SessionProfile;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Checks and measures everything that training on a device promises, and writes it into one
 * Markdown file. What cannot be measured is named, with the reason, and the check goes on.
 */
@Command(
    name = "gpu-check",
    header = "Checks and measures training on a device.",
    description = {
      "",
      "Holds every fixture to PyTorch's numbers on the device, checks that no compute node of a"
          + " training step falls to the CPU, measures training steps and the device's matrix rate,"
          + " compares with PyTorch where it is installed, and writes one Markdown file.",
      ""
    },
    footer = {
      "",
      "Exit codes: 0 no requirement is failed; 1 one is, or the report cannot be written; 2 wrong"
          + " usage.",
      "",
      "Example:",
      "  gpu-check --device cuda --output gpu.md"
    },
    mixinStandardHelpOptions = true)
public final class GpuCheck implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      defaultValue = "cuda",
      description = "cuda, cuda:N or cpu (default: ${DEFAULT-VALUE}).")
  private String deviceName;

  @Option(
      names = "--output",
      defaultValue = "gpu.md",
      description = "The Markdown file (default: ${DEFAULT-VALUE}).")
  private Path output;

  @Option(names = "--quick", description = "Small sizes and few steps: does it run at all?")
  private boolean quick;

  @Option(
      names = "--models",
      paramLabel = "FOLDER",
      description =
          "Where the models to measure are, or are made and kept (default: a temporary"
              + " folder).")
  private @Nullable Path models;

  @Option(
      names = "--python",
      defaultValue = "python3",
      description = "The Python that may have PyTorch (default: ${DEFAULT-VALUE}).")
  private String python;

  @Option(
      names = "--pytorch-script",
      paramLabel = "FILE",
      description = "What measures PyTorch (default: PyTorch is not compared with).")
  private @Nullable Path pytorchScript;

  /** What is done, in this order. */
  private enum Part {
    ORACLES,
    PLACEMENT,
    RATE,
    STEPS,
    PYTORCH
  }

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "PART",
      description =
          "Some of oracles, placement, rate, steps and pytorch, separated by commas"
              + " (default: all).")
  private Set<Part> only = EnumSet.allOf(Part.class);

  @Option(
      names = "--precisions",
      split = ",",
      paramLabel = "PRECISION",
      description = "Some of fp32, tf32, fp16 and bf16 (default: all; fp32 on the CPU).")
  private @Nullable List<Precision> precisions;

  @Option(
      names = "--steps-per-call",
      split = ",",
      paramLabel = "N",
      description = "How many steps a call takes (default: 1,8,32; 1,8 on the CPU).")
  private @Nullable List<Integer> stepsPerCall;

  /** The entry point of the {@code gpu-check} launcher. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new GpuCheck());
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setExecutionExceptionHandler(
        (failure, at, parsed) -> {
          if (failure instanceof LoraGraphException) {
            at.getErr().println("gpu-check: " + failure.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
          }
          throw failure;
        });
    return commandLine;
  }

  @Override
  public Integer call() {
    if (!deviceName.matches("cpu|cuda(:\\d+)?")) {
      throw new ParameterException(
          spec.commandLine(), "--device is cpu, cuda or cuda:N, not '%s'".formatted(deviceName));
    }
    CheckedDevice device = new CheckedDevice(deviceName);
    Sizes sizes = Sizes.of(device, quick).withOnly(precisions, stepsPerCall);
    GpuReport report = new GpuReport(sizes, device, typed());
    Map<String, String> facts = MachineFacts.of(device);
    String doctor = MachineFacts.doctor();
    try (TemporaryFolder temporary = TemporaryFolder.create("lora-graph-gpu-check")) {
      Path folder = models == null ? temporary.path() : models;
      if (only.contains(Part.PLACEMENT) || only.contains(Part.STEPS)) {
        makeModels(folder, sizes, report);
      }
      for (Part part : only) {
        switch (part) {
          case ORACLES -> checkOracles(device, sizes, report);
          case PLACEMENT -> checkPlacement(device, sizes, folder, report);
          case RATE -> measureMatrixRate(device, sizes, report);
          case STEPS -> measureSteps(device, sizes, folder, report);
          case PYTORCH -> {
            say("PyTorch");
            report.add(PyTorchComparison.run(python, pytorchScript, device, sizes, quick));
          }
        }
        // After each part: time on a machine may end before the check does.
        write(report.markdown(facts, doctor));
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    for (Requirement r : report.requirements()) {
      out.printf("%-12s %s (%s)%n", r.verdict().label(), r.name(), r.detail());
    }
    out.println("written: " + output);
    return report.passes() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
  }

  private void write(String markdown) {
    AtomicFile.write(output, true, out -> out.write(markdown.getBytes(StandardCharsets.UTF_8)));
  }

  /** The command without what the launcher puts before it. */
  private String typed() {
    List<String> words = spec.commandLine().getParseResult().originalArgs();
    boolean launched = !words.isEmpty() && words.get(0).equals("--pytorch-script");
    return "gpu-check " + String.join(" ", words.subList(launched ? 2 : 0, words.size()));
  }

  private void checkOracles(CheckedDevice device, Sizes sizes, GpuReport report) {
    for (String fixture : sizes.fixtures()) {
      attempt(
          "oracle " + fixture,
          report,
          () -> report.add(OracleCheck.of(fixture, device.sessions(false))));
    }
  }

  private void makeModels(Path folder, Sizes sizes, GpuReport report) {
    for (ReferenceModel model : sizes.models()) {
      attempt("model " + model.label(), report, () -> model.make(folder));
    }
  }

  private void checkPlacement(CheckedDevice device, Sizes sizes, Path folder, GpuReport report) {
    for (ReferenceModel model : sizes.models()) {
      attempt(
          "placement " + model.label(),
          report,
          () -> {
            SessionProfile profile = profile(model, device, sizes, folder, 1);
            report.add(model, profile);
            NodePlacement.of(profile).requireAllOn(device.provider());
            NodePlacement.of(profile(model, device, sizes, folder, 2))
                .requireAllOn(device.provider());
          });
    }
  }

  private static SessionProfile profile(
      ReferenceModel model, CheckedDevice device, Sizes sizes, Path folder, int stepsPerCall) {
    return PlacementCheck.of(
        folder.resolve(model.file()),
        device.sessions(true),
        sizes.batch(),
        sizes.sequence(),
        stepsPerCall);
  }

  private void measureMatrixRate(CheckedDevice device, Sizes sizes, GpuReport report) {
    for (Precision precision : sizes.precisions()) {
      attempt(
          "matrix rate " + precision.label(),
          report,
          () ->
              report.add(
                  precision,
                  new MatrixRate(sizes.matrix(), precision.type())
                      .measure(device.sessions(precision.tf32()), sizes.products())));
    }
  }

  private void measureSteps(CheckedDevice device, Sizes sizes, Path folder, GpuReport report) {
    @Nullable GpuMemory memory = device.isCpu() ? null : new GpuMemory(device.index());
    for (ReferenceModel model : sizes.models()) {
      for (Precision precision : sizes.precisions()) {
        for (int stepsPerCall : sizes.stepsPerCall()) {
          say(
              "steps of %s, %s, %d per call"
                  .formatted(model.label(), precision.label(), stepsPerCall));
          report.add(
              new StepBenchmark(model, precision, stepsPerCall, device, sizes).run(folder, memory));
        }
      }
    }
  }

  private void attempt(String what, GpuReport report, Runnable work) {
    say(what);
    try {
      work.run();
    } catch (LoraGraphException e) {
      say("  " + e.getMessage());
      report.addProblem(what, e.getMessage());
    } catch (RuntimeException | AssertionError e) {
      // A bug, and no reason to lose all else that a machine with a GPU can tell.
      e.printStackTrace(spec.commandLine().getErr());
      report.addProblem(what, e.toString());
    }
  }

  private void say(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(line);
    err.flush();
  }
}
