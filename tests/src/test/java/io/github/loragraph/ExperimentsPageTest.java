package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of docs/experiments.md are possible as they stand there. */
class ExperimentsPageTest {
  private static final Path PAGE = Path.of("..", "docs", "experiments.md");
  private static final Pattern FILE = Pattern.compile("(?s)```yaml\n(.*?)```");

  @TempDir Path folder;

  @BeforeEach
  void data() throws Exception {
    assertEquals(0, Cli.run("experiment", "--example", "article", "-o", folder).exitCode());
    Files.copy(folder.resolve("eval.tsv"), folder.resolve("dev.tsv"));
  }

  private Path file(int number) throws Exception {
    Matcher file = FILE.matcher(Files.readString(PAGE));
    for (int i = 0; i <= number; i++) {
      assertTrue(file.find(), "a file is missing in " + PAGE);
    }
    return Files.writeString(folder.resolve("page.yaml"), file.group(1));
  }

  @Test
  void theExperimentIsPossible() throws Exception {
    assertEquals(
        List.of(
            "before",
            "full-warmup-ratio0",
            "full-warmup-ratio0.1",
            "lora-r2-warmup-ratio0",
            "lora-r2-warmup-ratio0.1",
            "all-warmup-ratio0-rank2",
            "all-warmup-ratio0.1-rank2",
            "all-warmup-ratio0-rank8",
            "all-warmup-ratio0.1-rank8"),
        Experiment.of(file(0)).plan(folder.resolve("results")).stream()
            .map(PlannedRun::name)
            .distinct()
            .toList());
  }

  @Test
  void theSearchIsPossible() throws Exception {
    HyperparameterSearch search = HyperparameterSearch.fromFile(file(1));
    search.check(folder.resolve("results"));
    assertEquals(16, search.trials());
  }
}
