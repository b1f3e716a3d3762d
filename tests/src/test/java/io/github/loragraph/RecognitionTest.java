package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linears in other forms: found and adapted where that is possible, else counted and named. */
class RecognitionTest {
  @TempDir Path folder;

  /** Every one of these networks has 20,899 parameters in PyTorch, and some have adapters. */
  @ParameterizedTest
  @CsvSource({
    "12-qdq, 0, 13, 20899",
    "13-weight-only-dq, 1, 12, 20899",
    "15-fp16-weights-cast, 13, 0, 20899",
    "27-local-function-linear, 1, 12, 20899",
    "25-if-linears, 7, 2, 16547",
    "40-weight-3d, 13, 0, 20899",
    "50-in-proj-slices, 13, 0, 20899",
    "30-peft-inside, 13, 0, 21923"
  })
  void everyLayerIsFoundOrNamed(String graph, int linears, int others, long parameters) {
    Path model = ReportGraph.write(graph, folder);
    JsonNode json = Cli.json("inspect", model);
    assertEquals(linears, json.get("linears").size());
    assertEquals(others, json.get("unrecognised").size());
    assertEquals(parameters, json.get("totalParameters").asLong());
    json.get("unrecognised")
        .forEach(
            layer -> {
              assertTrue(layer.get("path").asText().matches("encoder\\.layer\\..*|classifier"));
              assertTrue(layer.get("reason").asText().startsWith("it"));
              assertTrue(!layer.get("remedy").asText().isEmpty());
            });
  }

  @ParameterizedTest
  @CsvSource({
    "15-fp16-weights-cast, query|intermediate",
    "40-weight-3d, query|intermediate",
    "50-in-proj-slices, in_proj_weight",
    "50-in-proj-slices, q_proj|v_proj",
    "30-peft-inside, query|key"
  })
  void adaptersAreTrainedAndMerged(String graph, String match) {
    Path model = ReportGraph.write(graph, folder);
    Path injected = folder.resolve("m.lora.onnx");
    JsonNode inject = Cli.json("inject", model, "--match", match, "--rank", 2, "-o", injected);
    inject.get("adapted").forEach(path -> assertTrue(!path.asText().contains("lora_")));
    Path run = folder.resolve("run");
    Cli.json(
        "train",
        injected,
        "--data",
        folder.resolve("train.jsonl"),
        "--steps",
        2,
        "-o",
        run,
        "--lr",
        "1e-2",
        "--device",
        "cpu",
        "--engine",
        "graph");
    JsonNode merged = Cli.json("merge", run, "-o", folder.resolve("merged.onnx"));
    assertEquals(inject.get("adapted").size(), merged.get("merged").asInt());
    OnnxModel before = OnnxFile.read(model);
    OnnxModel after = OnnxFile.read(folder.resolve("merged.onnx"));
    assertEquals(before.graph().nodes().toString(), after.graph().nodes().toString());
    assertEquals(before.graph().initializers().keySet(), after.graph().initializers().keySet());
  }

  @ParameterizedTest
  @CsvSource({
    "12-qdq, query, quantized",
    "13-weight-only-dq, query, quantized",
    "27-local-function-linear, query, inline",
    "25-if-linears, layer.1.intermediate, branch",
    "13-weight-only-dq, nothing_like_it, classifier"
  })
  void whatCannotBeAdaptedIsRefusedWithItsReason(String graph, String match, String reason) {
    Path model = ReportGraph.write(graph, folder);
    Cli run = Cli.run("inject", model, "--match", match);
    assertEquals(1, run.exitCode());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains(model.toString()) && run.err().contains(reason), run.err());
    assertTrue(!run.err().contains(": ("), run.err());
  }

  @Test
  void peftAdaptersAreTrainedAsTheyStand() {
    Path model = ReportGraph.write("30-peft-inside", folder);
    Path run = folder.resolve("run");
    Cli.json(
        "train",
        model,
        "--data",
        folder.resolve("train.jsonl"),
        "--steps",
        1,
        "-o",
        run,
        "--device",
        "cpu",
        "--engine",
        "graph");
    OnnxModel before = OnnxFile.read(model);
    OnnxModel after = Runs.model(run);
    List<String> changed = new ArrayList<>();
    before
        .graph()
        .initializers()
        .forEach(
            (name, tensor) -> {
              if (!tensor.bytes().equals(after.graph().initializer(name).bytes())) {
                changed.add(name);
              }
            });
    assertTrue(changed.stream().anyMatch(name -> name.contains("lora_A")), changed::toString);
    assertTrue(
        changed.stream().allMatch(name -> name.contains("lora_") || name.contains("classifier")),
        changed::toString);
    Cli merge = Cli.run("merge", run, "-o", folder.resolve("merged.onnx"));
    assertTrue(merge.err().contains("PEFT"), merge.err());
  }

  /** The file holds the tied weight twice, and both are trained as one. */
  @Test
  void aTiedWeightIsTrainedAsOne() throws IOException {
    Path model = Oracle.of("gpt2-lm").unpackModel(folder.resolve("model.onnx"));
    JsonNode json = Cli.json("inspect", model);
    assertEquals(7744, json.get("totalParameters").asLong());
    assertEquals("transformer.wte.weight", json.get("tied").get(0).get("name").asText());
    Path data = folder.resolve("train.jsonl");
    String row =
        "{\"input_ids\": [3, 7, 2, 5], \"attention_mask\": [1, 1, 1, 1], \"label\": [1, 4, 2, 0]}\n";
    Files.writeString(data, row + row.replace("7", "9"));
    Path run = folder.resolve("run");
    Cli trained =
        Cli.run(
            "train",
            model,
            "--method",
            "full",
            "--data",
            data,
            "--steps",
            2,
            "-o",
            run,
            "--lr",
            "1e-3",
            "--device",
            "cpu",
            "--engine",
            "graph");
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(trained.err().contains("Tied"), trained.err());
    OnnxModel after = Runs.model(run);
    float[] table = after.graph().initializer("transformer.wte.weight").toFloats();
    float[] copy = after.graph().initializer("onnx::MatMul_627").toFloats();
    float[] old = OnnxFile.read(model).graph().initializer("onnx::MatMul_627").toFloats();
    boolean moved = false;
    for (int i = 0; i < 48; i++) {
      for (int j = 0; j < 16; j++) {
        assertEquals(table[i * 16 + j], copy[j * 48 + i]);
        moved |= copy[j * 48 + i] != old[j * 48 + i];
      }
    }
    assertTrue(moved);
    assertEquals(7744, Cli.json("inspect", run).get("totalParameters").asLong());
  }

  @Test
  void metadataAndAdaptersAgreeOrAreRefused() {
    OnnxModel original = Oracle.of("tiny-roberta").model();
    OnnxModel injected =
        LoraInjector.inject(
            original,
            new InjectionOptions(Pattern.compile("query"), 4, 8, InjectionOptions.DEFAULT_HEAD, 0));
    String json = injected.metadata().get(LoraMetadata.KEY);
    String second = json.replaceFirst(",\\{\"path\":\"[^}]*layer\\.1[^}]*}", "");
    refused(injected.withMetadata(LoraMetadata.KEY, second), "1 of the 2 adapters");
    for (String alpha : List.of("\"NaN\"", "-1", "0", "1e400")) {
      String changed = json.replaceAll("\"alpha\":8.0", "\"alpha\":" + alpha);
      refused(injected.withMetadata(LoraMetadata.KEY, changed), "alpha");
    }
    refused(
        injected.withMetadata(LoraMetadata.KEY, json.replaceAll("\"rank\":4", "\"rank\":4000")),
        "rank 4000");
    refused(
        injected.withMetadata(LoraMetadata.KEY, json.replaceFirst("\"rank\":4", "\"rank\":\"x\"")),
        "rank");
    refused(injected.withMetadata(LoraMetadata.KEY, "[" + "x".repeat(100_000)), "JSON");
    OnnxModel doubled = injected.withGraph(injected.graph().copy());
    Tensor a = doubled.graph().initializer("roberta.encoder.layer.0.attention.self.query.lora_A");
    doubled.graph().putInitializer(Tensor.ofDoubles(a.name(), a.toDoubles(), a.dims()));
    refused(doubled, ElementType.DOUBLE.toString());
  }

  private void refused(OnnxModel model, String reason) {
    Path file = folder.resolve("odd.lora.onnx");
    OnnxFile.write(model, file, true);
    for (String command : List.of("merge", "remove", "inspect")) {
      Cli run = Cli.run(command, file);
      assertEquals(1, run.exitCode(), command + reason);
      assertEquals(1, run.err().lines().count(), run.err());
      assertTrue(run.err().contains(file.toString()), run.err());
      assertTrue(run.err().contains(reason), run.err());
      assertTrue(!run.err().contains("io.github"), run.err());
      assertTrue(run.err().length() < 330, run.err());
    }
  }
}
