package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Difference;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.PyTorchParameters;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.evaluation.FileSession;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.WeightDecay;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The recipe of Hugging Face's Trainer in PyTorch's numbers; see the README beside the files. */
final class RecipeOracle {
  private static final double LOSSES = 5e-5;
  private static final double TENSORS = 2e-4;

  private final JsonNode values;
  private final Path folder;
  private final JsonNode recipe;

  RecipeOracle(String name) throws IOException, URISyntaxException {
    this.folder = Path.of(RecipeOracle.class.getResource("/recipe/" + name).toURI());
    try (InputStream in = Files.newInputStream(folder.resolve("oracle.json"))) {
      this.values = new ObjectMapper().readTree(in);
    }
    this.recipe = values.get("recipe");
  }

  private OnnxModel model() {
    OnnxModel model =
        LoraInjector.inject(
            OnnxFile.read(folder.resolve("model.onnx")),
            new InjectionOptions(
                Pattern.compile(values.at("/lora/regex").asText()),
                values.at("/lora/r").asInt(),
                values.at("/lora/alpha").asDouble(),
                InjectionOptions.DEFAULT_HEAD,
                0));
    for (Map.Entry<String, JsonNode> e : values.get("lora_params").properties()) {
      double[] numbers = Oracle.flat(e.getValue());
      float[] floats = new float[numbers.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) numbers[i];
      }
      int rows = e.getValue().size();
      model.graph().putInitializer(Tensor.ofFloats(e.getKey(), floats, rows, floats.length / rows));
    }
    return model;
  }

  /** By the command line, from a data file on. */
  void checkCommand(String engine, Path place) throws IOException {
    Path model = place.resolve("model.lora.onnx");
    OnnxFile.write(model(), model, true);
    Files.copy(folder.resolve("config.json"), place.resolve("config.json"));
    Path data = Files.writeString(place.resolve("train.jsonl"), lines());
    Path run = place.resolve("run");
    Cli.json(
        "train",
        model,
        "--data",
        data,
        "--write-model",
        "--engine",
        engine,
        "--threads",
        1,
        "--per-device-train-batch-size",
        recipe.get("micro_batch_size").asInt(),
        "--gradient-accumulation-steps",
        recipe.get("accumulate").asInt(),
        "--num-train-epochs",
        6,
        "--learning-rate",
        recipe.get("learning_rate").asText(),
        "--lr-scheduler-type",
        recipe.get("schedule").asText(),
        "--warmup-steps",
        recipe.get("warmup_steps").asInt(),
        "--weight-decay",
        recipe.get("weight_decay").asText(),
        "--max-grad-norm",
        recipe.get("max_grad_norm").asText(),
        "--no-shuffle",
        "--log-every",
        1,
        "-o",
        run);
    JsonNode expected = recipe.at("/expected/hf_group_mean");
    List<String> metrics = Files.readAllLines(run.resolve("metrics.jsonl"));
    assertEquals(12, metrics.size());
    for (int i = 0; i < metrics.size(); i++) {
      JsonNode line = new ObjectMapper().readTree(metrics.get(i));
      assertEquals(i + 1, line.get("step").asInt());
      assertEquals((i + 1) / 2.0, line.get("epoch").asDouble());
      assertEquals(expected.get("losses").get(i).asDouble(), line.get("loss").asDouble(), LOSSES);
      assertEquals(
          expected.get("learning_rates").get(i).asDouble(),
          line.get("learningRate").asDouble(),
          1e-10);
      if (engine.equals("graph")) {
        assertEquals(
            expected.get("grad_norms").get(i).asDouble(),
            line.get("gradientNorm").asDouble(),
            1e-4);
      }
    }
    OnnxModel trained = Runs.model(run);
    checkParameters(
        "hf_group_mean", trained, value -> trained.graph().initializer(value).toFloats());
    double[] logits = Oracle.flat(expected.get("logits_final"));
    try (FileSession session =
        new FileSession(OrtRuntime.ofThisProcess(), run.resolve("model.onnx"))) {
      float[][] rows = session.logits(Oracle.inputs(values.get("inputs")));
      for (int i = 0; i < logits.length; i++) {
        assertEquals(logits[i], rows[i / rows[0].length][i % rows[0].length], TENSORS);
      }
    }
  }

  private void checkParameters(
      String expected, OnnxModel model, Function<String, float[]> byValue) {
    PyTorchParameters parameters = new PyTorchParameters(model);
    Map<String, String> byName = new HashMap<>();
    Parameters.of(model).forEach(p -> byName.put(p.name(), p.value()));
    for (Map.Entry<String, JsonNode> e :
        recipe.at("/expected/" + expected + "/params_final").properties()) {
      Difference difference =
          parameters.difference(
              e.getKey(), Oracle.flat(e.getValue()), byValue.apply(byName.get(e.getKey())));
      assertTrue(difference.isWithin(TENSORS), difference::where);
    }
  }

  /** The rows without their padding. */
  private String lines() {
    StringBuilder lines = new StringBuilder();
    for (JsonNode batch : recipe.get("micro_batches")) {
      for (int row = 0; row < batch.get("labels").size(); row++) {
        int length = 0;
        for (JsonNode mask : batch.at("/inputs/attention_mask/" + row)) {
          length += mask.asInt();
        }
        lines.append(
            "{\"input_ids\":%s,\"token_type_ids\":%s,\"label\":%s}\n"
                .formatted(
                    first(batch.at("/inputs/input_ids/" + row), length),
                    first(batch.at("/inputs/token_type_ids/" + row), length),
                    first(batch.at("/labels/" + row), length)));
      }
    }
    return lines.toString();
  }

  private static String first(JsonNode row, int length) {
    List<String> numbers = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      numbers.add(row.get(i).asText());
    }
    return "[" + String.join(",", numbers) + "]";
  }

  /** The mean of the batches' means, which an engine makes of equal shares. */
  void checkMeanOfMeans(EngineKind kind) {
    OnnxModel model = model();
    int accumulate = recipe.get("accumulate").asInt();
    Engines engines =
        new Engines(
            model,
            TrainableSelection.of(Method.LORA).values(model),
            new CrossEntropyLoss(0, List.of(), CrossEntropyLoss.IGNORE_INDEX),
            new Optimization(
                new AdamW(
                    0.9, 0.999, 1e-8, recipe.get("weight_decay").asDouble(), WeightDecay.WEIGHTS),
                recipe.get("max_grad_norm").asDouble(),
                LoraDropout.NONE),
            accumulate,
            1,
            0,
            new Sessions(OrtRuntime.ofThisProcess(), 1));
    JsonNode expected = recipe.at("/expected/hf");
    JsonNode batches = recipe.get("micro_batches");
    try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
      Engine engine = opened.engine();
      for (int step = 0; step < 12; step++) {
        double loss = 0;
        for (int i = 0; i < accumulate; i++) {
          JsonNode batch = batches.get((step * accumulate + i) % batches.size());
          double rate = expected.get("learning_rates").get(step).asDouble();
          loss +=
              engine
                      .steps(
                          List.of(
                              new StepInput(
                                  labelled(batch), rate, 1.0 / accumulate, i == accumulate - 1)))
                      .get(0)
                      .loss()
                  / accumulate;
        }
        assertEquals(expected.get("losses").get(step).asDouble(), loss, LOSSES);
      }
      Map<String, Tensor> parameters = engine.parameters();
      checkParameters("hf", model, value -> parameters.get(value).toFloats());
    }
  }

  private static List<HostTensor> labelled(JsonNode batch) {
    List<HostTensor> tensors = new ArrayList<>(Oracle.inputs(batch.get("inputs")));
    JsonNode labels = batch.get("labels");
    double[] numbers = Oracle.flat(labels);
    long[] longs = new long[numbers.length];
    for (int i = 0; i < longs.length; i++) {
      longs[i] = (long) numbers[i];
    }
    tensors.add(Gradients.longs("labels", longs, labels.size(), labels.get(0).size()));
    return tensors;
  }
}
