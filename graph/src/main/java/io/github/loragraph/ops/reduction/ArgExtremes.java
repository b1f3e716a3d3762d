package io.github.loragraph.ops.reduction;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the largest or the smallest entry is along an axis. No gradient goes through. */
@AutoService(OperatorFamily.class)
public final class ArgExtremes implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(new ArgExtreme("ArgMax"), new ArgExtreme("ArgMin"));
  }

  private record ArgExtreme(String name) implements Operator {
    @Override
    public ElementType elementType(int output, ShapeContext c) {
      return ElementType.INT64;
    }

    @Override
    public @Nullable List<Dimension> shape(int output, ShapeContext c) {
      List<Dimension> x = c.shape(0);
      if (x == null) {
        return null;
      }
      List<Dimension> result = new ArrayList<>(x);
      int axis = ShapeContext.axis(c.node().attribute("axis", 0L), x.size());
      if (c.node().attribute("keepdims", 1L) != 0) {
        result.set(axis, Dimension.of(1));
      } else {
        result.remove(axis);
      }
      return result;
    }
  }
}
