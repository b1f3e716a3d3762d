package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code adapter export --format onnxruntime}, and back by the front door. */
class AdapterExportTest {
  private static final InferenceArguments ONE_THREAD =
      InferenceArguments.builder().device(Device.CPU).threads(1).build();

  @TempDir Path folder;

  private Path adapted(String name, String match, int rank) throws Exception {
    Path target = Files.createDirectories(folder.resolve(name));
    OnnxFile.write(
        AdaptedModels.trained(AdaptedModels.tiny(), match, rank, 3),
        target.resolve("model.onnx"),
        false);
    Files.copy(Fixtures.file("tiny-roberta/config.json"), target.resolve("config.json"));
    return target;
  }

  @Test
  void whatIsExportedAnswersAsTheModel() throws Exception {
    Path first = adapted("first", "query|value", 3);
    Path second = adapted("second", "query|value", 5);
    Path served = folder.resolve("served");
    JsonNode json = Cli.json("adapter", "export", first, "--format", "onnxruntime", "-o", served);
    assertEquals(served.resolve("adapter.onnx_adapter").toString(), json.path("output").asText());
    assertEquals(served.resolve("model.onnx").toString(), json.path("base").asText());
    Cli.json(
        "adapter",
        "export",
        second,
        "--format",
        "onnxruntime",
        "-o",
        served,
        "--name",
        "other",
        "--base",
        served);
    assertTrue(Files.exists(served.resolve("other.config.json")));
    List<Example> examples = List.of(Example.ofTokens(5, 6, 7), Example.ofTokens(8, 9));
    try (MultiAdapterPredictor many =
        MultiAdapterPredictor.open(
            Model.open(Fixtures.file("tiny-roberta")).withNotes(line -> {}), ONE_THREAD)) {
      many.load("a", served.resolve("adapter.onnx_adapter"));
      many.load("b", served.resolve("other.onnx_adapter"));
      for (String name : List.of("a", "b")) {
        try (Predictor alone =
            Model.open(name.equals("a") ? first : second).predictor(ONE_THREAD)) {
          List<Prediction> expected = alone.predict(examples);
          List<Prediction> actual = many.predict(name, examples);
          for (int i = 0; i < expected.size(); i++) {
            String label = expected.get(i).label();
            assertEquals(
                expected.get(i).probability(label), actual.get(i).probability(label), 1e-6);
          }
        }
      }
    }
  }

  @Test
  void othersNamesAreOnesOwn() throws Exception {
    Path model = adapted("model", "query", 2);
    for (String naming : List.of("olive", "genai")) {
      Path target = folder.resolve(naming);
      Cli.json(
          "adapter", "export", model, "--format", "onnxruntime", "-o", target, "--naming", naming);
      OnnxModel base = OnnxFile.read(target.resolve("model.onnx"));
      var adapter = OnnxAdapterFile.read(target.resolve("adapter.onnx_adapter"));
      AdapterInputs.requireFitting(base, adapter);
      String a =
          "roberta.encoder.layer.0.attention.self.query.lora_A"
              + (naming.equals("olive") ? ".weight" : ".MatMul.weight");
      assertTrue(adapter.parameters().containsKey(a), adapter.parameters().keySet().toString());
      Path other = adapted("other-" + naming, "query", 7);
      Cli.json(
          "adapter",
          "export",
          other,
          "--format",
          "onnxruntime",
          "-o",
          folder.resolve("only-" + naming),
          "--base",
          target);
      assertFalse(Files.exists(folder.resolve("only-" + naming).resolve("model.onnx")));
      AdapterInputs.requireFitting(
          base,
          OnnxAdapterFile.read(folder.resolve("only-" + naming).resolve("adapter.onnx_adapter")));
    }
  }

  @Test
  void anExportIsWholeOrNotAtAll() throws Exception {
    Path model = adapted("model", "query", 2);
    Path served = Files.createDirectories(folder.resolve("served"));
    Path taken = Files.writeString(served.resolve("adapter.onnx_adapter"), "mine");
    Cli run = Cli.run("adapter", "export", model, "--format", "onnxruntime", "-o", served);
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains(taken + " exists already"), run.err());
    assertFalse(Files.exists(served.resolve("model.onnx")));
    Cli root =
        Cli.run("adapter", "export", model, "--format", "onnxruntime", "-o", served, "--name", "/");
    assertEquals(1, root.exitCode(), root.err());
    assertTrue(root.err().contains("'/' is no name for a file"), root.err());
  }

  @Test
  void whatCannotBeExportedIsRefused() throws Exception {
    Path model = adapted("model", "query", 2);
    Path dense = adapted("dense", "dense", 2);
    Path served = folder.resolve("served");
    Cli.json("adapter", "export", model, "--format", "onnxruntime", "-o", served);
    Cli again = Cli.run("adapter", "export", model, "--format", "onnxruntime", "-o", served);
    assertEquals(1, again.exitCode());
    assertTrue(again.err().contains("exists"), again.err());
    Cli.json("adapter", "export", model, "--format", "onnxruntime", "-o", served, "--force");
    Cli other =
        Cli.run(
            "adapter",
            "export",
            dense,
            "--format",
            "onnxruntime",
            "-o",
            served,
            "--name",
            "d",
            "--base",
            served);
    assertEquals(1, other.exitCode());
    assertTrue(other.err().contains("no input for adapters"), other.err());
    assertFalse(Files.exists(served.resolve("d.onnx_adapter")));
    Cli plain =
        Cli.run(
            "adapter",
            "export",
            Fixtures.file("tiny-roberta"),
            "--format",
            "onnxruntime",
            "-o",
            folder.resolve("x"));
    assertTrue(plain.err().contains("no adapters"), plain.err());
    assertFalse(Files.exists(folder.resolve("x")));
    Cli named =
        Cli.run(
            "adapter", "export", model, "--format", "onnxruntime", "-o", served, "--name", "../x");
    assertTrue(named.err().contains("no name for a file"), named.err());
  }
}
