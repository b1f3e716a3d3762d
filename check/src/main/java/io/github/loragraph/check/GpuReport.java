package io.github.loragraph.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.SessionProfile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Everything that was found, and what it means for the requirements; written as Markdown.
 *
 * <p>Long because it is one document, a method to a section, in the order in which it is read.
 */
final class GpuReport {
  private static final double REQUIRED_SPEED = 0.9;
  private static final String NONE = "not measured";

  private final CheckedDevice device;
  private final Sizes sizes;
  private final String command;

  private final List<OracleCheck> oracles = new ArrayList<>();
  private final Map<ReferenceModel, NodePlacement> placements = new EnumMap<>(ReferenceModel.class);
  private final Map<ReferenceModel, CallTimes> times = new EnumMap<>(ReferenceModel.class);
  private final List<StepBenchmark.Figure> steps = new ArrayList<>();
  private final Map<Precision, Double> rates = new EnumMap<>(Precision.class);

  /** Why something could not be measured, by what it is. */
  private final Map<String, String> problems = new LinkedHashMap<>();

  private PyTorchComparison pytorch = new PyTorchComparison(null, List.of(), "it was not run");

  GpuReport(Sizes sizes, CheckedDevice device, String command) {
    this.device = device;
    this.sizes = sizes;
    this.command = command;
  }

  void add(OracleCheck oracle) {
    oracles.add(oracle);
  }

  void add(ReferenceModel model, SessionProfile profile) {
    placements.put(model, NodePlacement.of(profile));
    times.put(model, CallTimes.of(profile));
  }

  void add(StepBenchmark.Figure figure) {
    steps.add(figure);
  }

  void add(Precision precision, double flopsPerSecond) {
    rates.put(precision, flopsPerSecond);
  }

  void add(PyTorchComparison comparison) {
    pytorch = comparison;
  }

  void addProblem(String what, String why) {
    problems.put(what, why);
  }

  /** The requirements in the order of the issue. */
  List<Requirement> requirements() {
    return List.of(oraclesAgree(), nothingFell(), fastEnough());
  }

  private Requirement oraclesAgree() {
    String name = "all oracles within %s, TF32 off".formatted(number(OracleCheck.TOLERANCE));
    List<String> failed =
        problems.keySet().stream().filter(what -> what.startsWith("oracle ")).toList();
    if (!failed.isEmpty()) {
      return Requirement.of(
          name, false, "%s: %s".formatted(failed.get(0), problems.get(failed.get(0))));
    }
    if (oracles.isEmpty()) {
      return Requirement.notMeasured(name, "no fixture was run");
    }
    Difference largest =
        oracles.stream().map(OracleCheck::largest).reduce(Difference.NONE, Difference::or);
    return Requirement.of(
        name,
        largest.isWithin(OracleCheck.TOLERANCE),
        "largest difference %s in %d fixtures"
            .formatted(number(largest.largest()), oracles.size()));
  }

  private Requirement nothingFell() {
    String name = "no compute node of a step on the CPU";
    if (device.isCpu()) {
      return Requirement.notMeasured(name, "the device is the CPU");
    }
    for (Map.Entry<String, String> problem : problems.entrySet()) {
      if (problem.getKey().startsWith("placement ")) {
        return Requirement.of(name, false, problem.getValue());
      }
    }
    if (placements.isEmpty()) {
      return Requirement.notMeasured(name, "no step was run");
    }
    int fell =
        placements.values().stream().mapToInt(p -> p.fallenFrom(device.provider()).size()).sum();
    return Requirement.of(name, fell == 0, "%,d fell".formatted(fell));
  }

  private Requirement fastEnough() {
    String name =
        "at least %s times eager PyTorch's samples per second at batch 32, sequence 128"
            .formatted(REQUIRED_SPEED);
    if (device.isCpu() || !sizes.isRequired()) {
      return Requirement.notMeasured(
          name,
          "this was %s, batch %d, sequence %d"
              .formatted(device.option(), sizes.batch(), sizes.sequence()));
    }
    double slowest = Double.NaN;
    String slowestName = "";
    for (Precision precision : sizes.precisions()) {
      double ratio =
          best(ReferenceModel.ROBERTA_BASE, precision)
              / pytorch.samplesPerSecond("eager", precision);
      if (!Double.isNaN(ratio) && !(ratio >= slowest)) {
        slowest = ratio;
        slowestName = precision.label();
      }
    }
    return Double.isNaN(slowest)
        ? Requirement.notMeasured(name, pytorch.problem() == null ? NONE : pytorch.problem())
        : Requirement.of(
            name,
            slowest >= REQUIRED_SPEED,
            "%.2f in %s, the least of the precisions".formatted(slowest, slowestName));
  }

  /** The most samples per second of any number of steps per call; NaN where none was measured. */
  private double best(ReferenceModel model, Precision precision) {
    return steps.stream()
        .filter(s -> s.benchmark().model() == model && s.benchmark().precision() == precision)
        .mapToDouble(s -> s.number("samplesPerSecond"))
        .filter(rate -> !Double.isNaN(rate))
        .max()
        .orElse(Double.NaN);
  }

  /** Whether no requirement is failed. */
  boolean passes() {
    return requirements().stream().noneMatch(Requirement::fails);
  }

  /** In a word, if all requirements were measured or one is failed. */
  private String verdict() {
    long open =
        requirements().stream()
            .filter(r -> r.verdict() == Requirement.Verdict.NOT_MEASURED)
            .count();
    return !passes() ? "FAIL" : open == 0 ? "PASS" : "nothing failed, " + open + " not measured";
  }

  /**
   * The report as far as it is known; it ends in a line break.
   *
   * @param facts of the machine
   * @param doctor what {@code lora-graph doctor} says; may be empty
   */
  String markdown(Map<String, String> facts, String doctor) {
    StringBuilder out = new StringBuilder("# gpu-check: ").append(verdict()).append("\n\n");
    out.append("`").append(command).append("`\n\n");
    table(out, List.of("machine", ""), rows(facts));
    out.append("## Requirements\n\n");
    table(
        out,
        List.of("requirement", "", ""),
        requirements().stream()
            .map(r -> List.of(r.name(), "**" + r.verdict().label() + "**", r.detail()))
            .toList());
    oracles(out);
    placements(out);
    rates(out);
    steps(out);
    pytorch(out);
    if (!problems.isEmpty()) {
      out.append("## Not measured\n\n");
      table(out, List.of("what", "why"), rows(problems));
    }
    if (!doctor.isEmpty()) {
      out.append("## lora-graph doctor\n\n```\n").append(doctor).append("\n```\n");
    }
    return out.toString().stripTrailing() + "\n";
  }

  private void oracles(StringBuilder out) {
    if (oracles.isEmpty()) {
      return;
    }
    out.append("## Largest differences from PyTorch's numbers, TF32 off\n\n");
    List<String> sections = List.copyOf(oracles.get(0).differences().keySet());
    List<String> head = new ArrayList<>(List.of("fixture"));
    head.addAll(sections);
    head.add("");
    List<List<String>> rows = new ArrayList<>();
    for (OracleCheck oracle : oracles) {
      List<String> row = new ArrayList<>(List.of(oracle.fixture()));
      oracle.differences().values().forEach(d -> row.add(number(d.largest())));
      row.add(oracle.passes() ? "PASS" : "FAIL");
      rows.add(row);
    }
    table(out, head, rows);
  }

  private void placements(StringBuilder out) {
    if (placements.isEmpty()) {
      return;
    }
    out.append(
        "## Placement of the step's nodes (batch %d, sequence %d)\n\n"
            .formatted(sizes.batch(), sizes.sequence()));
    List<List<String>> rows = new ArrayList<>();
    placements.forEach(
        (model, p) -> {
          CallTimes t = Objects.requireNonNull(times.get(model));
          rows.add(
              List.of(
                  model.label(),
                  p.computeNodes().entrySet().stream()
                      .map(e -> "%,d on %s".formatted(e.getValue(), e.getKey()))
                      .collect(Collectors.joining(", ")),
                  Integer.toString(p.fallenFrom(device.provider()).size()),
                  Long.toString(
                      p.nodes().stream().filter(NodePlacement.PlacedNode::copies).count()),
                  milliseconds(t.copySeconds()),
                  milliseconds(t.kernelSeconds()),
                  percent(t.matrixShare()),
                  t.isTraced() ? "the GPU's" : "the host's"));
        });
    table(
        out,
        List.of(
            "model",
            "compute nodes",
            "fell",
            "copy nodes",
            "copies (ms)",
            "kernels (ms)",
            "thereof matrix products",
            "times are"),
        rows);
  }

  private void rates(StringBuilder out) {
    if (rates.isEmpty()) {
      return;
    }
    out.append("## Matrix rate: products of %1$d x %1$d in one call\n\n".formatted(sizes.matrix()));
    List<List<String>> rows = new ArrayList<>();
    rates.forEach((precision, rate) -> rows.add(List.of(precision.label(), teraflops(rate))));
    table(out, List.of("precision", "TFLOP/s"), rows);
  }

  private void steps(StringBuilder out) {
    if (steps.isEmpty()) {
      return;
    }
    out.append(
        "## Training steps (batch %d, sequence %d)\n\n".formatted(sizes.batch(), sizes.sequence()));
    List<List<String>> rows = new ArrayList<>();
    for (StepBenchmark.Figure figure : steps) {
      StepBenchmark benchmark = figure.benchmark();
      double eager =
          benchmark.model() == ReferenceModel.ROBERTA_BASE
              ? pytorch.samplesPerSecond("eager", benchmark.precision())
              : Double.NaN;
      rows.add(
          List.of(
              benchmark.model().label(),
              benchmark.precision().label(),
              Integer.toString(benchmark.stepsPerCall()),
              milliseconds(figure.number("stepSeconds")),
              milliseconds(lostToCalls(figure)),
              decimal(figure.number("samplesPerSecond"), 1),
              decimal(figure.number("peakGigabytes"), 2),
              decimal(figure.deviceGigabytes(), 2),
              percent(shareOfRate(figure)),
              decimal(figure.number("samplesPerSecond") / eager, 2),
              figure.problem() == null ? "`" + figure.command() + "`" : figure.problem()));
    }
    table(
        out,
        List.of(
            "model",
            "precision",
            "steps per call",
            "step (ms)",
            "of it copies and calls (ms)",
            "samples/s",
            "host memory (GB)",
            "GPU memory (GB)",
            "of the matrix rate",
            "x eager PyTorch",
            "command"),
        rows);
    out.append("The models were made so:\n\n```console\n");
    for (ReferenceModel model : sizes.models()) {
      for (List<String> line : model.commands()) {
        out.append("$ lora-graph ")
            .append(String.join(" ", line).replace("query|output", "'query|output'"))
            .append('\n');
      }
    }
    out.append("```\n\n");
  }

  /**
   * What a step takes longer than with the most steps in a call: parameters and moments travel to
   * the device and back with each call, and nothing else of a call grows with fewer steps.
   */
  private double lostToCalls(StepBenchmark.Figure figure) {
    StepBenchmark benchmark = figure.benchmark();
    double least =
        steps.stream()
            .filter(
                f ->
                    f.benchmark().model() == benchmark.model()
                        && f.benchmark().precision() == benchmark.precision())
            .max(Comparator.comparingInt(f -> f.benchmark().stepsPerCall()))
            .map(f -> f.number("stepSeconds"))
            .orElse(Double.NaN);
    return Math.max(0, figure.number("stepSeconds") - least);
  }

  /** The work of the step's matrix products by the time of the whole step, of what is possible. */
  private double shareOfRate(StepBenchmark.Figure figure) {
    CallTimes step = times.get(figure.benchmark().model());
    Double rate = rates.get(figure.benchmark().precision());
    return step == null || rate == null
        ? Double.NaN
        : step.matrixFlops() / figure.number("stepSeconds") / rate;
  }

  private void pytorch(StringBuilder out) {
    out.append("## PyTorch, the same LoRA on a classifier of RoBERTa-base's size\n\n");
    if (pytorch.problem() != null) {
      out.append(NONE).append(": ").append(pytorch.problem()).append("\n\n");
      return;
    }
    out.append("`").append(pytorch.command()).append("`\n\n");
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode line : pytorch.lines()) {
      boolean measured = line.has("samplesPerSecond");
      rows.add(
          List.of(
              line.path("torch").asText(),
              line.path("mode").asText(),
              line.path("precision").asText(),
              milliseconds(line.path("stepSeconds").asDouble(Double.NaN)),
              decimal(line.path("samplesPerSecond").asDouble(Double.NaN), 1),
              decimal(line.path("peakGigabytes").asDouble(Double.NaN), 2),
              measured ? "" : line.path("problem").asText()));
    }
    table(
        out,
        List.of("PyTorch", "mode", "precision", "step (ms)", "samples/s", "memory (GB)", ""),
        rows);
  }

  private static List<List<String>> rows(Map<String, String> map) {
    return map.entrySet().stream().map(e -> List.of(e.getKey(), e.getValue())).toList();
  }

  private static void table(StringBuilder out, List<String> head, List<List<String>> rows) {
    line(out, head);
    out.append("| --- ".repeat(head.size())).append("|\n");
    rows.forEach(row -> line(out, row));
    out.append('\n');
  }

  private static void line(StringBuilder out, List<String> cells) {
    cells.forEach(
        cell -> out.append("| ").append(cell.replace("|", "\\|").replace('\n', ' ')).append(' '));
    out.append("|\n");
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2g", value);
  }

  private static String decimal(double value, int digits) {
    return Double.isNaN(value) ? NONE : String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  private static String milliseconds(double seconds) {
    return decimal(seconds * 1e3, 2);
  }

  private static String teraflops(double rate) {
    return decimal(rate / 1e12, 2);
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? NONE : String.format(Locale.ROOT, "%.0f %%", share * 100);
  }
}
