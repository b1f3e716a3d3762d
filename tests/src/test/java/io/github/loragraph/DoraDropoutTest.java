package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.TrainingGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * DoRA with dropout computes what PEFT computes, y = xW + b + (f - 1) x'W + f s (x'A) B with x' =
 * dropout(x): that is plain LoRA of full rank with lora_A the identity and lora_B = (f - 1) W + f s
 * A B, whose gradient says what those of A, B and the magnitude are where the norm is a constant.
 */
class DoraDropoutTest {
  private static final Oracle ORACLE = Oracle.of("peft/roberta-dora");
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 1);

  @Test
  void lossAndGradientsAreThoseOfTheFormula() {
    OnnxModel dora = new OracleDifferences(ORACLE, SESSIONS).withOracleAdapters();
    Graph graph = dora.graph();
    LoraMetadata metadata = LoraMetadata.require(dora);
    List<Linear> linears = LinearFinder.find(ORACLE.model().graph());
    int size = (int) linears.get(0).in();
    OnnxModel plain =
        LoraInjector.inject(
            ORACLE.model(),
            new InjectionOptions(
                Pattern.compile(metadata.match()), size, size, InjectionOptions.DEFAULT_HEAD, 0));
    float[] identity = new float[size * size];
    for (int i = 0; i < size; i++) {
      identity[i * size + i] = 1;
    }
    List<Layer> layers = new ArrayList<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      Linear linear =
          linears.stream().filter(l -> l.path().equals(target.path())).findFirst().orElseThrow();
      Layer layer = Layer.of(graph, metadata, target, linear, size);
      layers.add(layer);
      plain.graph().putInitializer(Tensor.ofFloats(target.parameterA(), identity, size, size));
      plain
          .graph()
          .putInitializer(Tensor.ofFloats(target.parameterB(), layer.change(), size, size));
    }
    Run ofDora = Run.of(dora);
    Run ofPlain = Run.of(plain);
    assertEquals(ofPlain.loss, ofDora.loss, 1e-6);
    for (Layer layer : layers) {
      double[] d = doubles(ofPlain.gradients.get(layer.target.parameterB()));
      check(layer.gradientOfA(d), ofDora.gradients.get(layer.target.parameterA()));
      check(layer.gradientOfB(d), ofDora.gradients.get(layer.target.parameterB()));
      check(layer.gradientOfMagnitude(d), ofDora.gradients.get(layer.target.magnitude()));
    }
  }

  private static void check(double[] expected, float[] actual) {
    assertArrayEquals(expected, doubles(actual), 1e-5);
  }

  private static double[] doubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }

  /**
   * One layer in double precision.
   *
   * @param w W + s A B, (in, out)
   */
  private record Layer(
      LoraMetadata.Target target,
      int size,
      int rank,
      double scale,
      double[] weight,
      double[] w,
      double[] a,
      double[] b,
      double[] factor,
      double[] norm) {
    static Layer of(
        Graph graph, LoraMetadata metadata, LoraMetadata.Target target, Linear linear, int size) {
      double[] stored = doubles(graph.constant(linear.weight()).toFloats());
      double[] a = doubles(graph.initializer(target.parameterA()).toFloats());
      double[] b = doubles(graph.initializer(target.parameterB()).toFloats());
      double[] m = doubles(graph.initializer(target.magnitude()).toFloats());
      double scale = metadata.scale(target);
      double[] weight = new double[size * size];
      double[] w = new double[size * size];
      double[] norm = new double[size];
      for (int i = 0; i < size; i++) {
        for (int o = 0; o < size; o++) {
          boolean outIn = linear.layout() == WeightLayout.OUT_IN;
          weight[i * size + o] = stored[outIn ? o * size + i : i * size + o];
          w[i * size + o] = weight[i * size + o];
          for (int k = 0; k < target.rank(); k++) {
            w[i * size + o] += scale * a[i * target.rank() + k] * b[k * size + o];
          }
          norm[o] += w[i * size + o] * w[i * size + o];
        }
      }
      double[] factor = new double[size];
      for (int o = 0; o < size; o++) {
        norm[o] = Math.sqrt(norm[o]);
        factor[o] = m[o] / norm[o];
      }
      return new Layer(target, size, target.rank(), scale, weight, w, a, b, factor, norm);
    }

    /** f (W + s A B) - W. */
    float[] change() {
      float[] change = new float[size * size];
      for (int i = 0; i < change.length; i++) {
        change[i] = (float) (factor[i % size] * w[i] - weight[i]);
      }
      return change;
    }

    double[] gradientOfA(double[] d) {
      double[] gradient = new double[size * rank];
      for (int i = 0; i < size; i++) {
        for (int k = 0; k < rank; k++) {
          for (int o = 0; o < size; o++) {
            gradient[i * rank + k] += scale * d[i * size + o] * factor[o] * b[k * size + o];
          }
        }
      }
      return gradient;
    }

    double[] gradientOfB(double[] d) {
      double[] gradient = new double[rank * size];
      for (int i = 0; i < size; i++) {
        for (int k = 0; k < rank; k++) {
          for (int o = 0; o < size; o++) {
            gradient[k * size + o] += scale * d[i * size + o] * factor[o] * a[i * rank + k];
          }
        }
      }
      return gradient;
    }

    double[] gradientOfMagnitude(double[] d) {
      double[] gradient = new double[size];
      for (int i = 0; i < d.length; i++) {
        gradient[i % size] += d[i] * w[i] / norm[i % size];
      }
      return gradient;
    }
  }

  private record Run(double loss, Map<String, float[]> gradients) {
    static Run of(OnnxModel model) {
      TrainingGraph training =
          TrainingGraph.build(
              model,
              TrainableSelection.of(Method.LORA).values(model),
              CrossEntropyLoss.plain(),
              GraphOptions.PLAIN.withDropout(new LoraDropout(0.3)),
              new SessionShapeInference(OrtRuntime.ofThisProcess()));
      Graph graph = training.model().graph();
      training
          .gradients()
          .forEach(
              (value, gradient) -> {
                if (!graph.isOutput(gradient)) {
                  graph.addOutput(ValueInfo.of(gradient, new TensorType(ElementType.FLOAT, null)));
                }
                graph.removeInput(value);
                graph.putInitializer(training.initialValues().get(value));
              });
      List<HostTensor> batch = new ArrayList<>(ORACLE.labelledBatch());
      ByteBuffer seed = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
      seed.putLong(LoraDropout.seedOf(7, 1)).flip();
      batch.add(new HostTensor(LoraDropout.SEED, ElementType.INT64, new long[0], seed));
      Map<String, float[]> outputs = OrtRun.run(training.model(), batch, SESSIONS);
      Map<String, float[]> gradients = new HashMap<>();
      training
          .gradients()
          .forEach((value, gradient) -> gradients.put(value, outputs.get(gradient)));
      return new Run(outputs.get(training.loss())[0], gradients);
    }
  }
}
