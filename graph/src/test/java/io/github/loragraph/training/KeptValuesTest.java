package io.github.loragraph.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.TypedModel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeptValuesTest {
  private static final int WIDTH = 8;

  private final GraphBuilder b = new GraphBuilder(new Graph(), "/test");

  private String input(String name, ElementType type, long... more) {
    List<Dimension> dims = new ArrayList<>(List.of(Dimension.named("batch")));
    dims.add(Dimension.named("tokens"));
    for (long size : more) {
      dims.add(Dimension.of(size));
    }
    b.graph().addInput(ValueInfo.of(name, new TensorType(type, new Shape(dims))));
    return name;
  }

  private String weight(String name, int... dims) {
    String fresh = b.graph().freshName(name);
    return b.initializer(Tensor.ofFloats(fresh, new float[dims[0] * dims[1]], dims[0], dims[1]));
  }

  /** Two layers of a product and a residual sum each; the sums are returned. */
  private List<String> layers(String states) {
    List<String> sums = new ArrayList<>();
    for (String from = states; sums.size() < 2; from = sums.get(sums.size() - 1)) {
      sums.add(b.add(b.op("Tanh", b.matMul(from, weight("w", WIDTH, WIDTH))), from));
    }
    return sums;
  }

  private String total(String value) {
    return b.reduce("ReduceSum", value, "", false);
  }

  private List<List<String>> kept(String loss) {
    b.graph().addOutput(ValueInfo.of(loss, TensorType.of(ElementType.FLOAT)));
    TypedModel model = TypedModel.declared(OnnxModel.of("test", b.graph(), 9, GraphBuilder.OPSET));
    return KeptValues.of(
        b.graph(), b.graph().requiredInputs(), model.with(model.model()).types(), loss);
  }

  @Test
  void whatAllGoesThrough() {
    String embedded = b.gather(weight("table", 9, WIDTH), input("input_ids", ElementType.INT64), 0);
    List<String> sums = layers(embedded);
    assertEquals(List.of(List.of(embedded, sums.get(0), sums.get(1))), kept(total(sums.get(1))));
  }

  /** As in ALBERT and ELECTRA. */
  @Test
  void behindANarrowEmbedding() {
    String embedded = b.gather(weight("table", 9, 4), input("input_ids", ElementType.INT64), 0);
    String wide = b.matMul(embedded, weight("up", 4, WIDTH));
    List<String> sums = layers(wide);
    assertEquals(List.of(List.of(wide, sums.get(0), sums.get(1))), kept(total(sums.get(1))));
  }

  /** Where pixels are told of by more numbers than the layers have. */
  @Test
  void behindPixels() {
    String wide = b.matMul(input("pixels", ElementType.FLOAT, 40), weight("up", 40, WIDTH));
    List<String> sums = layers(wide);
    assertEquals(List.of(List.of(wide, sums.get(0), sums.get(1))), kept(total(sums.get(1))));
  }

  @Test
  void ofEachEncoderByItself() {
    String table = weight("table", 9, WIDTH);
    List<List<String>> expected = new ArrayList<>();
    List<String> ends = new ArrayList<>();
    for (String text : List.of("anchor.", "texts.")) {
      String embedded = b.gather(table, input(text + "input_ids", ElementType.INT64), 0);
      List<String> sums = layers(embedded);
      expected.add(List.of(embedded, sums.get(0), sums.get(1)));
      ends.add(total(sums.get(1)));
    }
    assertEquals(expected, kept(b.mul(ends.get(0), ends.get(1))));
  }

  /** Vectors that are given go around the anchors' encoder, and are no encoder. */
  @Test
  void besideVectorsThatAreGiven() {
    String embedded =
        b.gather(weight("table", 9, WIDTH), input("anchor.input_ids", ElementType.INT64), 0);
    List<String> sums = layers(embedded);
    String vectors = input(Towers.VECTORS, ElementType.FLOAT, WIDTH);
    assertEquals(
        List.of(List.of(embedded, sums.get(0), sums.get(1))),
        kept(b.mul(total(sums.get(1)), total(vectors))));
  }
}
