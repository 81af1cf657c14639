"""Ten steps of a small residual network, as in He et al. 2016: stem, a block that keeps the size, a wider one that
may halve it."""
from goldens.layers import conv2d
from goldens.training import normed, relu_apart, torch, training_case


def block(x, w, stride):
    """The weights of the short cut, where there is one, come first: it is the sum's first operand."""
    short, w = w[:-6], w[-6:]
    y = relu_apart(normed(conv2d(x, w[0], None, (stride, stride), 1), w[1], w[2]))
    y = normed(conv2d(y, w[3], None, (1, 1), 1), w[4], w[5])
    if short:
        x = normed(conv2d(x, short[0], None, (stride, stride), 0), short[1], short[2])
    return relu_apart(x + y)


def resnet(stride):
    def model(x, w):
        y = relu_apart(normed(conv2d(x, w[0], None, (1, 1), 1), w[1], w[2]))
        y = block(block(y, w[3:9], 1), w[9:18], stride)
        return y.mean((1, 2)) @ w[18] + w[19]
    return model


def normal(kernel, c, filters, scale):
    return [((kernel, kernel, c, filters), scale, 0.0), ((filters,), 0.25, 1.0), ((filters,), 0.25, 0.0)]


def shapes(filters):
    wider = 2 * filters
    return [*normal(3, 3, filters, 0.25), *normal(3, filters, filters, 0.125), *normal(3, filters, filters, 0.125),
            *normal(1, filters, wider, 0.25), *normal(3, filters, wider, 0.125), *normal(3, wider, wider, 0.125),
            ((wider, 5), 0.25, 0.0), ((5,), 0.25, 0.0)]


def all_cases():
    def momentum(p):
        return torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-4)
    yield training_case("resnet", resnet(2), (8, 8, 3), 5, shapes(8), momentum, batch=8, first_weight=300)
    # Channels and pixels enough for Winograd's convolutions.
    yield training_case("resnet_winograd", resnet(1), (11, 13, 3), 5, shapes(16), momentum, batch=2, first_weight=320)
