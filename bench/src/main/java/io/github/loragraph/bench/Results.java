package io.github.loragraph.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.onnx.OnnxFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * All that was measured, as JSON and as a table.
 *
 * @param command as it would be typed
 * @param machine facts by what they are of
 * @param models the folder of the models, whose operations are counted
 * @param all in the order of settings, and in each of rows
 */
record Results(String command, Map<String, ?> machine, Path models, List<Result> all) {
  private static final String HEAD =
      """
      | setting | what | step (s) | least to most | CPU (s) | forward (s) | step in forwards | limit (s) | of the limit | by CPU | peak of steps (GB) | of all (GB) | step to the other's | by CPU |
      | --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      """;

  Results {
    all = List.copyOf(all);
  }

  private OperationCount count(Setting setting) {
    return OperationCount.of(
        OnnxFile.read(setting.file(models)).graph(),
        setting.method(),
        setting.batch(),
        setting.sequence());
  }

  /** What a row is compared with: the same at another commit, else the first of its setting. */
  private Result other(Result result) {
    List<Result> beside = all.stream().filter(r -> r.setting().equals(result.setting())).toList();
    return beside.stream()
        .filter(r -> r.row().equals(result.row().ofBase()))
        .findFirst()
        .orElse(beside.get(0));
  }

  /** One object with everything, each process's own figures included. */
  String json() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode();
    root.put("command", command);
    root.set("machine", mapper.valueToTree(machine));
    ArrayNode rows = root.putArray("rows");
    for (Result result : all) {
      Setting setting = result.setting();
      OperationCount count = count(setting);
      ObjectNode row = rows.addObject();
      row.put("model", setting.model().label());
      row.put("method", setting.method().toString());
      row.put("batch", setting.batch());
      row.put("sequence", setting.sequence());
      row.put("threads", setting.threads());
      row.put("row", result.row().name());
      row.put("arguments", String.join(" ", result.row().arguments()));
      row.put("stepGigaflop", count.step() / 1e9);
      row.put("forwardGigaflop", count.forward() / 1e9);
      row.put("problem", result.problem());
      row.setAll((ObjectNode) mapper.valueToTree(figures(result)));
      ArrayNode turns = row.putArray("turns");
      result.turns().forEach(turn -> turns.add(turn.json()));
    }
    try {
      return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The medians over the turns, in seconds.
   *
   * @param limitSeconds what the step's products take at the best rate that was seen
   * @param shareOfLimit by the clock, of each process's own best product
   * @param toOther the step's time by that of the row that it is compared with, turn by turn
   */
  private record Figures(
      double stepSeconds,
      double stepSecondsLeast,
      double stepSecondsMost,
      double stepCpuSeconds,
      double forwardSeconds,
      double forwardCpuSeconds,
      double stepInForwards,
      double limitSeconds,
      double shareOfLimit,
      double shareOfLimitByCpu,
      double stepsPeakGigabytes,
      double peakGigabytes,
      double toOther,
      double toOtherByCpu) {}

  private Figures figures(Result result) {
    OperationCount count = count(result.setting());
    return new Figures(
        result.median(Measured::step),
        result.least(Measured::step),
        result.most(Measured::step),
        result.median(Measured::stepCpu),
        result.median(Measured::forward),
        result.median(Measured::forwardCpu),
        result.median(turn -> turn.step() / turn.forward()),
        count.step() / 1e9 / result.most(Measured::rate),
        result.median(turn -> turn.share(count)),
        result.median(turn -> turn.cpuShare(count)),
        result.median(Measured::stepsPeakGigabytes),
        result.median(Measured::peakGigabytes),
        result.ratio(other(result), Measured::step),
        result.ratio(other(result), Measured::stepCpu));
  }

  /** A Markdown table with the machine and the command above it. */
  String table() {
    StringBuilder text = new StringBuilder("`%s`%n%n".formatted(command));
    machine.forEach((name, value) -> text.append("- %s: %s%n".formatted(name, value)));
    text.append('\n').append(HEAD);
    for (Result result : all) {
      text.append(line(result)).append('\n');
    }
    return text.toString();
  }

  private String line(Result result) {
    if (result.problem() != null) {
      return "| %s | %s | fails: %s |"
          .formatted(result.setting(), result.row().name(), result.problem());
    }
    Figures f = figures(result);
    return String.format(
        Locale.ROOT,
        "| %s | %s | %.3f | %.3f to %.3f | %s | %.3f | %.2f | %s | %s | %s | %s | %s | %.2f | %s |",
        result.setting(),
        result.row().name(),
        f.stepSeconds,
        f.stepSecondsLeast,
        f.stepSecondsMost,
        known("%.3f", f.stepCpuSeconds),
        f.forwardSeconds,
        f.stepInForwards,
        known("%.3f", f.limitSeconds),
        known("%.0f%%", 100 * f.shareOfLimit),
        known("%.0f%%", 100 * f.shareOfLimitByCpu),
        known("%.2f", f.stepsPeakGigabytes),
        known("%.2f", f.peakGigabytes),
        f.toOther,
        known("%.2f", f.toOtherByCpu));
  }

  /** Empty where a program did not say enough. */
  private static String known(String format, double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "";
  }
}
