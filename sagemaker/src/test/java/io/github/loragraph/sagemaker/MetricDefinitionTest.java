package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MetricDefinitionTest {
  @Test
  void theCommandPrintsWhatTheServiceTakes() throws IOException {
    StringWriter out = new StringWriter();
    CommandLine commandLine = LoraGraph.commandLine().setOut(new PrintWriter(out, true));
    assertEquals(0, LoraGraph.execute(commandLine, "sagemaker", "metrics", "--json"));
    JsonNode definitions = new ObjectMapper().readTree(out.toString());
    assertEquals(MetricDefinition.all().size(), definitions.size());
    assertTrue(definitions.size() <= 40, definitions.toString());
    for (JsonNode definition : definitions) {
      assertEquals(2, definition.size());
      assertTrue(definition.get("Name").asText().matches(".{1,255}"), definition.toString());
      assertTrue(definition.get("Regex").asText().matches(".{1,500}"), definition.toString());
    }
  }

  @Test
  void allFiguresThatTrainingsAreMeasuredByAreFound() {
    List<String> names = MetricDefinition.all().stream().map(MetricDefinition::name).toList();
    for (Task task : Tasks.ALL) {
      for (String figure : task.figureNames()) {
        assertTrue(names.contains("validation:" + figure), task + " " + figure + " " + names);
      }
    }
  }

  @Test
  void eachExpressionFindsItsOwnValueAlone() {
    List<MetricDefinition> all = MetricDefinition.all();
    Map<String, Double> values = new LinkedHashMap<>();
    for (int i = 0; i < all.size(); i++) {
      // As Java writes what is small, large and negative.
      values.put(all.get(i).name(), new double[] {1.0E-7, -0.25, 123456789.0, 3}[i % 4] + i);
    }
    StringBuilder line = new StringBuilder("lora-graph metrics: step=12");
    values.forEach((name, value) -> line.append(' ').append(name).append('=').append(value));
    for (MetricDefinition definition : all) {
      Matcher matcher = Pattern.compile(definition.regex()).matcher(line);
      assertTrue(matcher.find(), definition.regex());
      assertEquals(values.get(definition.name()), Double.parseDouble(matcher.group(1)));
      assertFalse(matcher.find(), definition.regex());
    }
  }
}
