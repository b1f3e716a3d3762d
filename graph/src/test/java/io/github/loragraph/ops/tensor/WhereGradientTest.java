package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class WhereGradientTest {
  @Test
  void broadcast() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false, true}, 3))
        .input("a", 2, 3)
        .input("b", 1)
        .check();
  }

  @Test
  void sameShapes() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false}, 2, 1))
        .input("a", 2, 3)
        .input("b", 2, 3)
        .check();
  }

  @Test
  void firstBroadcast() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false, true}, 3))
        .input("a", 3)
        .input("b", 2, 3)
        .check();
  }

  @Test
  void firstAScalar() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false}, 2, 1))
        .input("a")
        .input("b", 2, 3)
        .check();
  }

  @Test
  void conditionBroadcast() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false}, 2, 1, 1))
        .input("a", 3, 2)
        .input("b", 2, 3, 2)
        .check();
  }

  @Test
  void conditionWiderThanBoth() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false, false, true}, 2, 2))
        .input("a", 2)
        .input("b", 1)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.where("c", "a", "b"))
        .constant("c", Tensor.ofBooleans("c", new boolean[] {true, false, true}, 3))
        .input("a", 0, 3)
        .input("b", 1, 3)
        .check();
  }
}
