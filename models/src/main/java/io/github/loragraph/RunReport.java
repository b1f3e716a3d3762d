package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.report.ComparisonPage;
import io.github.loragraph.report.ReportPage;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.RunRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What the run in a folder has become, read from its files alone: a process may be training in it.
 * Immutable: it is what the files said when they were read.
 *
 * <pre>{@code
 * RunReport.of(run).samplesPerSecond();
 * RunReport.write(run, run.resolve("report.html"));
 * RunReport.writeComparison(List.of(one, other), Path.of("compare.html"));
 * }</pre>
 */
public final class RunReport {
  private final Path run;
  private final Optional<RunRecord> record;

  private RunReport(Path run, Optional<RunRecord> record) {
    this.run = run;
    this.record = record;
  }

  /**
   * Reads what a run says of itself.
   *
   * @param run the folder that a training was given by {@link TrainingArguments.Builder#outputDir}
   * @throws LoraGraphException if it is not the folder of a run, or its {@code run.json} is none
   */
  public static RunReport of(Path run) {
    if (!Files.isRegularFile(run.resolve(RunFolder.CONFIG))) {
      throw RunFolder.noRun(run);
    }
    return new RunReport(run, RunRecord.read(run));
  }

  /** The folder of the run. */
  public Path folder() {
    return run;
  }

  /** The figures of the last evaluation by name, as {@link Evaluation#metrics} has them. */
  public Map<String, Double> metrics() {
    return record.map(RunRecord::figures).orElse(Map.of());
  }

  /** Examples a second over the steps of all parts of the run, evaluations not counted. */
  public OptionalDouble samplesPerSecond() {
    return record.map(RunRecord::samplesPerSecond).orElse(OptionalDouble.empty());
  }

  /** The most memory that a process of the run has had at once, where the system says it. */
  public OptionalDouble peakMegabytes() {
    return record.map(RunRecord::peakMegabytes).orElse(OptionalDouble.empty());
  }

  /** Seconds of work of all parts of the run. */
  public OptionalDouble wallSeconds() {
    return record.map(RunRecord::wallSeconds).orElse(OptionalDouble.empty());
  }

  /** How many parameters were trained, and how many there are; empty for a run from before. */
  public Optional<ParameterCount> parameterCount() {
    return record
        .filter(r -> r.trainableParameters().isPresent() && r.totalParameters().isPresent())
        .map(
            r ->
                new ParameterCount(
                    (long) r.totalParameters().getAsDouble(),
                    (long) r.trainableParameters().getAsDouble()));
  }

  /** The page of a run in its folder, as each training writes it. */
  public static Path usual(Path run) {
    return run.resolve(ReportPage.FILE);
  }

  /**
   * Writes the page of a run: one file, which asks nothing of a network.
   *
   * @param html to be written; replaced where it is a page already
   * @throws LoraGraphException if the folder is not that of a run, or the page cannot be written
   */
  public static void write(Path run, Path html) {
    requirePage(html);
    ReportPage.write(run, html);
  }

  /**
   * Writes a page of several runs beside each other; those that differ in their seed alone are one
   * configuration, of which it has mean and spread.
   *
   * @param html to be written; replaced where it is a page already
   * @throws LoraGraphException if a folder is not that of a run, or the page cannot be written
   */
  public static void writeComparison(List<Path> runs, Path html) {
    requirePage(html);
    ComparisonPage.write(html, runs);
  }

  /** A page is made again and again; nothing else is replaced by one. */
  private static void requirePage(Path html) {
    AtomicFile.checkTarget(html, true);
    if (Files.exists(html) && !html.getFileName().toString().matches("(?i).*\\.html?")) {
      throw new LoraGraphException(html + " exists already, and is no page", Remedy.REPLACE_OUTPUT);
    }
  }
}
