package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JobNamesTest {
  private static final String STAMP = "-261127-041530-123";
  private final JobNames names = new JobNames(Instant.parse("2026-11-27T04:15:30.123Z"));

  @Test
  void sayWhatTheyAreForAndWhen() {
    assertEquals("sst2-lora-r2-seed0" + STAMP, names.next("sst2-lora-r2-seed0", JobNames.TRAINING));
    assertEquals("prufung-lr1e-3" + STAMP, names.next("_pr\u00fcfung.lr1e-3", JobNames.TRAINING));
    assertEquals("job" + STAMP, names.next("...", JobNames.TRAINING));
  }

  @Test
  void areNamesToTheServiceAndNoneIsGivenTwice() throws IOException {
    Map<Integer, JsonNode> shapes =
        Map.of(
            JobNames.TRAINING, ServiceTextTest.model().path("TrainingJobName"),
            JobNames.TUNING, ServiceTextTest.model().path("HyperParameterTuningJobName"));
    shapes.forEach((longest, shape) -> assertEquals(shape.path("max").intValue(), longest));
    Set<String> given = new HashSet<>();
    for (String words :
        List.of("a", "a", "a-", "a".repeat(200), "a".repeat(201), "x-".repeat(60), "!", "?")) {
      for (int longest : List.of(JobNames.TRAINING, JobNames.TUNING)) {
        String name = names.next(words, longest);
        assertTrue(given.add(name), name);
        assertTrue(name.length() <= longest, name);
        assertTrue(name.matches(shapes.get(longest).path("pattern").textValue()), name);
      }
    }
  }
}
